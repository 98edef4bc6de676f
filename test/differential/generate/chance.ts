/** Choices that depend on a seed and on what is chosen, and on nothing else: new cases do not move old ones. */

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}

/** True for about one of `among` texts. */
export const chosen = (seed: number, text: string, among: number) => hash(`${seed} ${text}`) % among === 0
