/** The file that kube-apiserver takes by `--admission-control-config-file`: AdmissionConfiguration. */
import { LEVELS, type Level, type LevelVersion, type Mode, parseVersion } from '../../api/pod-security/policy.ts'
import { readConfiguration, type Shape } from '../configuration/read.ts'
import type { AdmissionOptions } from './all.ts'
import { type EventLimit, LIMIT_TYPES } from './event-rate-limit.ts'
import type { PodSecurityOptions } from './pod-security.ts'

interface PluginConfiguration {
  readonly name?: string
  readonly path?: string
  readonly configuration?: object
}

const PLUGINS: Shape = { plugins: [{ name: 'string', path: 'string', configuration: 'object' }] }

const POD_SECURITY = {
  group: 'pod-security.admission.config.k8s.io',
  versions: ['v1', 'v1beta1', 'v1alpha1'],
}
const strings: Shape = ['string']
const MODES: readonly Mode[] = ['enforce', 'audit', 'warn']

const POD_SECURITY_SHAPE: Shape = {
  defaults: Object.fromEntries(MODES.flatMap(mode => [mode, `${mode}-version`]).map(name => [name, 'string'])),
  exemptions: { usernames: strings, namespaces: strings, runtimeClasses: strings },
}

interface PodSecurityFile {
  readonly defaults?: Readonly<Record<string, string>>
  readonly exemptions?: NonNullable<PodSecurityOptions['exemptions']>
}

function levelOf(defaults: Readonly<Record<string, string>>, mode: Mode): LevelVersion {
  const { [mode]: level = 'privileged', [`${mode}-version`]: version = 'latest' } = defaults
  if (!(LEVELS as readonly string[]).includes(level))
    throw new Error(`defaults.${mode}: Invalid value: ${JSON.stringify(level)}: must be one of ${LEVELS.join(', ')}`)
  const parsed = parseVersion(version)
  if (parsed === undefined)
    throw new Error(`defaults.${mode}-version: Invalid value: ${JSON.stringify(version)}: must be "latest" or "v1.x"`)
  return { level: level as Level, version: parsed }
}

/** Reads a PodSecurityConfiguration. Rejects with an Error that names the field that is wrong. */
async function podSecurityOf(text: string): Promise<PodSecurityOptions> {
  const { defaults = {}, exemptions } = await readConfiguration<PodSecurityFile>(
    text,
    'PodSecurityConfiguration',
    POD_SECURITY_SHAPE,
    POD_SECURITY,
  )
  return {
    defaults: Object.fromEntries(MODES.map(mode => [mode, levelOf(defaults, mode)])),
    ...(exemptions && { exemptions }),
  }
}

const EVENT_LIMITS = { group: 'eventratelimit.admission.k8s.io', versions: ['v1alpha1'] }
const EVENT_LIMITS_SHAPE: Shape = { limits: [{ type: 'string', qps: 'number', burst: 'number', cacheSize: 'number' }] }

/** Reads a Configuration of EventRateLimit. Rejects with an Error that names the field that is wrong. */
async function eventLimitsOf(text: string): Promise<readonly EventLimit[]> {
  const { limits = [] } = await readConfiguration<{ limits?: Partial<EventLimit>[] }>(
    text,
    'Configuration',
    EVENT_LIMITS_SHAPE,
    EVENT_LIMITS,
  )
  if (!limits.length) throw new Error('limits: Invalid value: null: must not be empty')
  for (const [i, { type = '', burst = 0, qps = 0, cacheSize = 0 }] of limits.entries()) {
    const wrong = (field: string, value: number, why: string) =>
      new Error(`limits[${i}].${field}: Invalid value: ${value}: ${why}`)
    if (!(LIMIT_TYPES as readonly string[]).includes(type))
      throw new Error(
        `limits[${i}].type: Unsupported value: ${JSON.stringify(type)}: supported values: ${LIMIT_TYPES.map(each => JSON.stringify(each)).join(', ')}`,
      )
    if (!(burst > 0)) throw wrong('burst', burst, 'must be positive')
    if (!(qps > 0)) throw wrong('qps', qps, 'must be positive')
    if (type !== 'Server' && cacheSize < 0) throw wrong('cacheSize', cacheSize, 'must not be negative')
  }
  return limits as readonly EventLimit[]
}

type Configured = Pick<AdmissionOptions, 'podSecurity' | 'eventLimits'>

/** Plugins that are configured by a file, and what they make of it. */
const READERS: Readonly<Record<string, (text: string) => Promise<Configured>>> = {
  PodSecurity: async text => ({ podSecurity: await podSecurityOf(text) }),
  EventRateLimit: async text => ({ eventLimits: await eventLimitsOf(text) }),
}

/**
 * What the file says of plugins. `read` gives the text of a file that it names. Rejects with an Error for a plugin
 * that takes no configuration here: it would silently do something else than the file says.
 */
export async function readAdmissionConfiguration(text: string, read: (path: string) => string): Promise<Configured> {
  const { plugins = [] } = await readConfiguration<{ plugins?: PluginConfiguration[] }>(
    text,
    'AdmissionConfiguration',
    PLUGINS,
  )
  const all: Configured[] = []
  for (const [at, { name = '', path, configuration }] of plugins.entries()) {
    const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined
    if (!reader) throw new Error(`plugins[${at}]: ${JSON.stringify(name)} takes no configuration here`)
    if ((path === undefined) === (configuration === undefined))
      throw new Error(`plugins[${at}]: exactly one of path and configuration must be there`)
    all.push(await reader(path === undefined ? JSON.stringify(configuration) : read(path)))
  }
  return Object.assign({}, ...all)
}
