/** Warnings of one request, each once. As in kube-apiserver they take no more room than the headers of an answer have. */

const MOST = 4096
/** Length of one, once all of them are too long. */
const MOST_EACH = 256

export class Warnings {
  readonly #told = new Set<string>()
  #list: string[] = []
  #length = 0
  #isFull = false

  get list(): readonly string[] {
    return this.#list
  }

  add(text: string): void {
    if (!text || (this.#isFull && this.#length >= MOST) || this.#told.has(text)) return
    this.#told.add(text)
    this.#put(text)
    if (this.#isFull || this.#length <= MOST) return
    this.#isFull = true
    this.#list = []
    this.#length = 0
    for (const each of this.#told) if (this.#length < MOST) this.#put(each)
  }

  #put(text: string): void {
    const shown = this.#isFull && text.length > MOST_EACH ? [...text].slice(0, MOST_EACH).join('') : text
    this.#list.push(shown)
    this.#length += shown.length
  }
}
