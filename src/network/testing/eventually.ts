/** Tries until it holds, two seconds at most: caches follow by a watch. */
export async function eventually(what: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await what()
    } catch (error) {
      if (tries === 100) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}
