/**
 * Calls `use` with each later form of a configuration. What it rejects with is told to the operator, and the form
 * before stays in force. Returns the end of it.
 */
export type Follow<T> = (use: (next: T) => Promise<void>) => () => void
