/**
 * A small fuzzer: it changes inputs of a kept corpus at random, from a seed, and puts them to a parser. The parser must
 * answer in bounded time, with a value that keeps the target's promise or with an error of the expected kind.
 */
import { readFileSync } from 'node:fs'
import { PATIENCE } from '../../src/lib/eventually.fixture.ts'
import { type Random, seededRandom } from '../../src/lib/random.ts'

export interface FuzzTarget {
  readonly name: string
  /** Pieces that mean something to the parser. */
  readonly tokens: readonly string[]
  /** Throws what the parser throws; an AssertionError where a promise is broken. */
  run(input: Buffer): void | Promise<void>
  /** Whether an error is how this parser refuses. */
  refuses(error: unknown): boolean
}

/** The parser takes everything: an error of any kind is a finding. */
export const never = () => false

/** A refusal in words of our own, and no slip of the program. */
export const told = (error: unknown) =>
  error instanceof Error &&
  !(error instanceof TypeError) &&
  !(error instanceof RangeError) &&
  !(error instanceof ReferenceError)

export interface FuzzOptions {
  readonly seed: number
  /** How long to go on, in ms. The corpus itself is always run whole. */
  readonly forMs: number
  /** How many inputs are tried at most: how quick a machine is must not decide what is found. */
  readonly most?: number
}

/** No input is larger: what grows with its square must still be quick. */
const MAX_INPUT = 1 << 16
/** No single input may take more of the processor's time, in ms; generous, as the machine may be slow. */
const MAX_MS = 2000

/** The kept inputs of a target: one a line, as JSON strings whose characters are bytes. */
export function corpusOf(name: string): Buffer[] {
  const text = readFileSync(new URL(`./corpus/${name}.txt`, import.meta.url), 'utf8')
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => Buffer.from(JSON.parse(line) as string, 'latin1'))
}

/** An input as a line of a corpus. */
export const corpusLine = (input: Buffer): string => JSON.stringify(input.toString('latin1'))

/** Makes one change of an input. */
function changed(random: Random, input: Buffer, others: readonly Buffer[], tokens: readonly string[]): Buffer {
  const below = (limit: number) => Math.floor(random.number() * limit)
  const at = below(input.length + 1)
  const length = Math.min(below(below(2) ? 8 : 256) + 1, input.length - at)
  const cut = (middle: Uint8Array, skip: number) =>
    Buffer.concat([input.subarray(0, at), middle, input.subarray(at + skip)])
  const token = () => Buffer.from(tokens[below(tokens.length)] ?? '\0', 'latin1')
  switch (below(9)) {
    case 0:
      return input.subarray(0, at)
    case 1:
      return cut(Buffer.of(below(256)), Math.min(1, input.length - at))
    case 2:
      return cut(Buffer.alloc(0), length)
    case 3:
      return cut(Buffer.concat([input.subarray(at, at + length), input.subarray(at, at + length)]), length)
    case 4:
      return cut(Buffer.concat(Array.from({ length: below(2) ? 1 + below(4) : 1500 }, token)), 0)
    case 5:
      return cut(token(), length)
    case 6: {
      const other = others[below(others.length)] ?? input
      return cut(other.subarray(below(other.length + 1)), length)
    }
    case 7:
      return input.length
        ? cut(Buffer.of(input[at % input.length]! ^ (1 << below(8))), Math.min(1, input.length - at))
        : input
    default:
      return cut(Buffer.of(0xff, 0xff, 0xff, 0xff, below(256)), Math.min(4, input.length - at))
  }
}

/** What an input did that it must not. */
export class FuzzFinding extends Error {
  constructor(target: FuzzTarget, input: Buffer, why: string, cause: unknown) {
    super(
      `${target.name}: ${why}\ninput, as a line of test/fuzz/corpus/${target.name}.txt:\n${corpusLine(input).slice(0, 4000)}`,
      {
        cause,
      },
    )
  }
}

/** Rejects where nothing comes of it at all. */
async function inTime(result: void | Promise<void>): Promise<void> {
  if (!result) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it never ended')), PATIENCE)
  })
  try {
    await Promise.race([result, late])
  } finally {
    clearTimeout(timer)
  }
}

async function tryOne(target: FuzzTarget, input: Buffer): Promise<void> {
  const began = process.cpuUsage()
  try {
    await inTime(target.run(input))
  } catch (error) {
    if (!target.refuses(error)) {
      throw new FuzzFinding(
        target,
        input,
        `${error instanceof Error ? `${error.name}: ${error.message}` : error}`,
        error,
      )
    }
  }
  const ms = process.cpuUsage(began).user / 1000
  if (ms > MAX_MS) throw new FuzzFinding(target, input, `took ${Math.round(ms)} ms`, undefined)
}

/** Runs the corpus, then changes of it until the time is over or there were `most`. Returns how many inputs were tried. */
export async function fuzz(
  target: FuzzTarget,
  { seed, forMs, most = Number.POSITIVE_INFINITY }: FuzzOptions,
): Promise<number> {
  const corpus = corpusOf(target.name)
  for (const input of corpus) await tryOne(target, input)
  const random = seededRandom(seed)
  const end = performance.now() + forMs
  let tried = corpus.length
  while (tried < most && performance.now() < end) {
    let input = corpus[Math.floor(random.number() * corpus.length)]!
    for (let changes = 1 + Math.floor(random.number() * 4); changes > 0; changes--) {
      input = changed(random, input, corpus, target.tokens).subarray(0, MAX_INPUT)
    }
    await tryOne(target, input)
    tried++
  }
  return tried
}
