/**
 * What nodes use, asked of them when somebody wants to know and at no other time: nothing polls. A rate needs two
 * looks. The first question in a while therefore takes two, a second apart; later ones are answered from the look that
 * lies some seconds back. Whoever asks meanwhile shares the answer.
 */
import type { NodeDirectory } from '../../client/node-api.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { type Sample, takeSample } from './sample.ts'
import { type NodeUsage, usageBetween } from './usage.ts'

/** An answer is good for so long, in ms: many autoscalers ask at about the same time. */
const FRESH = 5_000
/** The rate is of so much time at least, where so much is known, in ms. */
const WINDOW = 10_000
/** A look that lies further back tells nothing of how it is now, in ms. */
const OLD = 60_000
/** Between the two looks of a first question, in ms. */
const SHORT = 1_000

export interface Sampler {
  /** Undefined where the node is not known or does not answer. Never rejects. */
  usage(nodeName: string): Promise<NodeUsage | undefined>
  /** Forgets the nodes that are not among these. */
  retain(nodeNames: ReadonlySet<string>): void
}

export interface SamplerDeps {
  readonly nodes: NodeDirectory
  readonly clock: Clock
  readonly logger: Logger
}

interface Look {
  readonly sample: Sample
  /** By the server's own elapsed time. */
  readonly at: number
}

interface Known {
  /** The oldest first. */
  looks: Look[]
  answer: NodeUsage | undefined
  asking: Promise<NodeUsage | undefined> | undefined
}

/** Makes one that has asked nobody yet. */
export function createSampler({ nodes, clock, logger }: SamplerDeps): Sampler {
  const known = new Map<string, Known>()

  async function look(nodeName: string): Promise<Look | undefined> {
    const api = nodes(nodeName)
    return api && { sample: await takeSample(api), at: clock.elapsed() }
  }

  async function ask(nodeName: string, of: Known): Promise<NodeUsage | undefined> {
    const since = clock.elapsed() - OLD
    of.looks = of.looks.filter(({ at }) => at >= since)
    if (!of.looks.length) {
      const first = await look(nodeName)
      if (!first) return undefined
      of.looks.push(first)
      await sleep(clock, SHORT)
    }
    const latest = await look(nodeName)
    if (!latest) return undefined
    const base = of.looks.findLastIndex(({ at }) => latest.at - at >= WINDOW)
    of.looks.splice(0, base)
    const answer = usageBetween(of.looks[0]!.sample, latest.sample)
    of.looks.push(latest)
    return answer
  }

  return {
    async usage(nodeName) {
      const of = known.get(nodeName) ?? { looks: [], answer: undefined, asking: undefined }
      known.set(nodeName, of)
      const latest = of.looks.at(-1)
      if (of.answer && latest && clock.elapsed() - latest.at < FRESH) return of.answer
      of.asking ??= ask(nodeName, of)
        .catch(error => {
          logger.debug({ err: error, node: nodeName }, 'a node does not say what it uses')
          return undefined
        })
        .finally(() => (of.asking = undefined))
      return (of.answer = await of.asking)
    },
    retain(nodeNames) {
      for (const name of known.keys()) if (!nodeNames.has(name)) known.delete(name)
    },
  }
}
