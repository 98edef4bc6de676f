/** One list of what a program has begun, so that nobody writes a stop list by hand. */

/** What ends with the program, in the reverse order of its beginning. */
export function createEnds() {
  const ends: (() => unknown)[] = []
  const scope = new AbortController()
  return {
    /** Aborts before anything is ended: parts that wait for that are awaited by their ends. */
    signal: scope.signal,
    add: (end: () => unknown) => void ends.push(end),
    async run() {
      scope.abort()
      for (const end of ends.splice(0).reverse()) await end()
    },
  }
}
export type Ends = ReturnType<typeof createEnds>

/** Longest that a timer has in Node, ms. */
const LONGEST_INTERVAL = 2 ** 31 - 1

/** Holds the program while nothing else does, such as a node whose server is away; returns what lets go of it. */
export function stayAwake(): () => void {
  const timer = setInterval(() => {}, LONGEST_INTERVAL)
  return () => clearInterval(timer)
}
