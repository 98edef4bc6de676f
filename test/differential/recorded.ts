/**
 * The answers of a real server, as files of this folder: one a topic, JSON lines of one answer each, compressed. An
 * answer stands with a digest of its request, so that a changed request is not compared with an old answer.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Answer, Ask, Scene } from './ask.ts'

export interface Recorded {
  /** By scene and title. */
  find(scene: Scene, ask: Ask): Answer | undefined
}

const fileOf = (topic: string) => join(import.meta.dirname, 'answers', `${topic}.jsonl.zst`)
const digest = (ask: Ask) => createHash('sha1').update(JSON.stringify(ask)).digest('base64url').slice(0, 8)
const keyOf = (scene: Scene, ask: Ask) => `${scene.name}/${ask.title}/${digest(ask)}`

/** What was recorded of a topic; nothing where there is no file. */
export function readRecorded(topic: string): Recorded {
  const answers = new Map<string, Answer>()
  if (existsSync(fileOf(topic))) {
    for (const line of zstdDecompressSync(readFileSync(fileOf(topic)))
      .toString()
      .split('\n')) {
      const { key, ...answer } = JSON.parse(line)
      answers.set(key, answer)
    }
  }
  return { find: (scene, ask) => answers.get(keyOf(scene, ask)) }
}

/** Keeps the answers to a topic's scenes, each beside its request, in place of what was recorded before. */
export function writeRecorded(topic: string, played: readonly (readonly [Scene, readonly Answer[]])[]) {
  const lines = played.flatMap(([scene, answers]) =>
    answers.map((answer, index) => JSON.stringify({ key: keyOf(scene, scene.asks[index]!), ...answer })),
  )
  const params = {
    [constants.ZSTD_c_compressionLevel]: 19,
    [constants.ZSTD_c_windowLog]: 25,
    [constants.ZSTD_c_enableLongDistanceMatching]: 1,
  }
  writeFileSync(fileOf(topic), zstdCompressSync(lines.join('\n'), { params }))
}
