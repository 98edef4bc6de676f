/** The file that kube-apiserver takes by `--admission-control-config-file`: AdmissionConfiguration. */
import { LEVELS, type Level, type LevelVersion, type Mode, parseVersion } from '../../api/pod-security/policy.ts'
import { readConfiguration, type Shape } from '../configuration/read.ts'
import type { AdmissionOptions } from './all.ts'
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

/**
 * What the file says of plugins. `read` gives the text of a file that it names. Rejects with an Error for a plugin
 * that takes no configuration here: it would silently do something else than the file says.
 */
export async function readAdmissionConfiguration(
  text: string,
  read: (path: string) => string,
): Promise<Pick<AdmissionOptions, 'podSecurity'>> {
  const { plugins = [] } = await readConfiguration<{ plugins?: PluginConfiguration[] }>(
    text,
    'AdmissionConfiguration',
    PLUGINS,
  )
  let podSecurity: PodSecurityOptions | undefined
  for (const [at, { name = '', path, configuration }] of plugins.entries()) {
    if (name !== 'PodSecurity') throw new Error(`plugins[${at}]: ${JSON.stringify(name)} takes no configuration here`)
    if ((path === undefined) === (configuration === undefined))
      throw new Error(`plugins[${at}]: exactly one of path and configuration must be there`)
    podSecurity = await podSecurityOf(path === undefined ? JSON.stringify(configuration) : read(path))
  }
  return podSecurity ? { podSecurity } : {}
}
