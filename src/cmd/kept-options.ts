/**
 * What a cluster keeps of how it was started, for starts that do not say it again: others know it by its port, its pods
 * by their network and by what runs them.
 */
import { join } from 'node:path'
import { type UpOptions, UserError } from '../cli/context.ts'
import { readJsonFile, writeFileAtomic } from '../lib/atomic-file.ts'

export interface KeptOptions {
  /** The port that the API server has. */
  readonly port: number
  /** The mode that was asked for; `auto` where the best was to be taken. */
  readonly network: NonNullable<UpOptions['network']>
  readonly runtime: NonNullable<UpOptions['runtime']>
  readonly nodes: number
  readonly runtimeEndpoint?: string
}

const fileOf = (dataDir: string) => join(dataDir, 'options.json')

/** Where nothing was ever said. */
const FIRST: KeptOptions = { port: 6443, network: 'auto', runtime: 'auto', nodes: 1 }

const readKept = (dataDir: string) => readJsonFile<KeptOptions>(fileOf(dataDir))

/**
 * What was asked for now, else what was before. Another runtime is asked for with all that belongs to it. Throws
 * `UserError` where more than one node is asked for and they are not simulated.
 */
export function withKept(options: UpOptions): UpOptions & KeptOptions {
  const { port, network, ...ran } = { ...FIRST, ...readKept(options.dataDir) }
  const isSaid = options.runtime || options.runtimeEndpoint
  const all = { ...FIRST, port, network, ...(!isSaid && ran), ...options }
  if (all.nodes > 1 && all.runtime !== 'simulated')
    throw new UserError(
      `--nodes ${all.nodes} needs simulated nodes: this machine is one node`,
      'Simulate them: --runtime simulated.',
    )
  return all
}

/** Keeps it for the next start. Returns sentences for who has said something else before. */
export function keepOptions(
  dataDir: string,
  { port, network, runtime, nodes, runtimeEndpoint }: KeptOptions,
): readonly string[] {
  const before = readKept(dataDir)
  const now: KeptOptions = { port, network, runtime, nodes, ...(runtimeEndpoint && { runtimeEndpoint }) }
  writeFileAtomic(fileOf(dataDir), `${JSON.stringify(now)}\n`)
  if (!before) return []
  return [
    ...(before.port === port
      ? []
      : [`the port was ${before.port} before and is ${port} now: kubeconfigs and nodes that joined know the old one`]),
    ...(before.network === network
      ? []
      : [`the network was ${before.network} before and is ${network} now: pods of before keep what they have`]),
  ]
}
