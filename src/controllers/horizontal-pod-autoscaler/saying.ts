/** Does `work`; its error begins with these words. */
export async function saying<T>(words: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Error(`${words}: ${(error as Error).message}`, { cause: error })
  }
}
