/** What a second `tutti up` asks for that the cluster which runs is not, and so comes with its next start. */
import type { Options } from './command.ts'
import type { Instance } from './instance.ts'

/** By option: whether what runs is so already, as far as it tells. */
const FITS: Readonly<Record<string, (value: unknown, running: Instance) => boolean>> = {
  port: (value, { server }) => Number(value) === 0 || Number(value) === Number(new URL(server).port),
  network: (value, { network }) => value === 'auto' || value === network.mode,
  runtime: (value, { asked }) => value === asked?.runtime,
  runtimeEndpoint: (value, { asked }) => value === asked?.runtimeEndpoint,
  nodeName: (value, { nodeName }) => value === nodeName,
  nodes: (value, { nodeName }) => Number(value) === nodeName.split(', ').length,
  config: () => false,
  httpPort: () => false,
  httpsPort: () => false,
  advertiseAddress: () => false,
  listen: () => false,
  tlsSan: () => false,
}

const flagOf = (option: string) => `--${option.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`

/** The sentence that says so; undefined where there is nothing to say. */
export function unmetBy(running: Instance, options: Options): string | undefined {
  const flags = Object.entries(FITS)
    .filter(([option, fits]) => options[option] !== undefined && !fits(options[option], running))
    .map(([option]) => flagOf(option))
  if (!flags.length) return undefined
  const [verb, it] = flags.length === 1 ? ['counts', 'it'] : ['count', 'them']
  return `it runs already, and ${flags.join(', ')} ${verb} at a start: tutti down, then tutti up with ${it}`
}
