/** Puts scenes to a server and compares its answers with those that are expected. */
import type { Answer, Ask, Scene } from './ask.ts'
import type { Connection } from './connection.ts'
import { type Difference, differences } from './differences.ts'
import { intended } from './intended.ts'
import { play } from './play.ts'

export interface Mismatch {
  readonly scene: Scene
  readonly ask: Ask
  /** `unrecorded`: there is no answer to this request. */
  readonly differences: readonly Difference[] | 'unrecorded'
}

const isIntended = (difference: Difference, scene: Scene, ask: Ask, expected: Answer) =>
  intended.some(each => each.explains(difference, scene, ask, expected))

/** All answers to a scene that are not as expected, and not otherwise on purpose. */
export async function compareScene(
  connection: Connection,
  scene: Scene,
  expectedOf: (ask: Ask, index: number) => Answer | undefined,
): Promise<Mismatch[]> {
  const actual = await play(connection, scene)
  return scene.asks.flatMap((ask, index): Mismatch[] => {
    const expected = expectedOf(ask, index)
    if (!expected) return [{ scene, ask, differences: 'unrecorded' }]
    const found = differences(expected, actual[index]!).filter(each => !isIntended(each, scene, ask, expected))
    return found.length ? [{ scene, ask, differences: found }] : []
  })
}
