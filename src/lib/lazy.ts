/** A part of the program that is loaded when it is first needed. */
export interface Lazy<T> {
  /** undefined until it was loaded: who asks often should not go through an import each time, which takes 20 µs. */
  readonly now: T | undefined
  load(): Promise<T>
}

/** `load` imports it; it is called once, unless it fails. */
export function lazy<T>(load: () => Promise<T>): Lazy<T> {
  let now: T | undefined
  return {
    get now() {
      return now
    },
    load: async () => (now ??= await load()),
  }
}
