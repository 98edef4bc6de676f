/** From the configuration file to what the parts of a cluster take, with every file that it names read and checked. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { kinds } from '../../api/kinds/all.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import { parseDuration } from '../../api/machinery/time.ts'
import type { AdmissionOptions } from '../../apiserver/admission/all.ts'
import { readAdmissionConfiguration } from '../../apiserver/admission/configuration.ts'
import type { Audit } from '../../apiserver/audit/audit.ts'
import { readAuthenticationConfiguration } from '../../apiserver/authentication/configuration.ts'
import { readAuthorizationConfiguration } from '../../apiserver/authorization/configuration.ts'
import type { ExtensionDeps } from '../../apiserver/bootstrap/extend.ts'
import { chooseFeatures, type FeaturesOff } from '../../apiserver/features/features.ts'
import { servedKinds } from '../../apiserver/features/runtime-config.ts'
import { UserError } from '../../cli/context.ts'
import type { Clock } from '../../lib/clock.ts'
import { parseCidr } from '../../lib/ipv4.ts'
import type { Logger } from '../../lib/log.ts'
import { type Configuration, type LoadedConfiguration, loadConfiguration, NO_CONFIGURATION } from './configuration.ts'

export const SERVICE_CIDR = '10.96.0.0/16'

export interface Settings {
  /** Built-in kinds that are served. */
  readonly kinds: readonly Kind[]
  readonly featuresOff: FeaturesOff
  readonly serviceCidr: string
  /** Options of `extendServer`. */
  readonly extension: Pick<ExtensionDeps, 'nodePorts' | 'eventTtl' | 'admission' | 'authentication' | 'authorization'>
  readonly audit: Audit | undefined
  /** `false`: nothing is encrypted; a path: by that EncryptionConfiguration; undefined: by a key of the cluster's own. */
  readonly encryption: string | false | undefined
}

interface Deps {
  readonly clock: Clock
  readonly logger: Logger
  uuid(): string
}

/** Failures with the file and the field that they are about. */
function about<T>(file: string, field: string, read: () => T): T {
  const told = (cause: unknown) =>
    new UserError(
      `${file}: ${field}: ${(cause as Error).message}`,
      'docs/configuration.md says what may stand there.',
      {
        cause,
      },
    )
  try {
    const result = read()
    if (!(result instanceof Promise)) return result
    return result.catch(cause => {
      throw told(cause)
    }) as T
  } catch (cause) {
    throw told(cause)
  }
}

const PRIVATE_SIZE = { least: 12, most: 30 }

function serviceCidrOf(text: string): string {
  parseCidr(text)
  const bits = Number(text.split('/')[1])
  if (bits < PRIVATE_SIZE.least || bits > PRIVATE_SIZE.most)
    throw new Error(`${text} must have a prefix from /${PRIVATE_SIZE.least} to /${PRIVATE_SIZE.most}`)
  return text
}

function portRangeOf(text: string): readonly [number, number] {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? []
  const range = [Number(first), Number(last)] as const
  if (!first || range[0] < 1 || range[1] > 65535 || range[0] > range[1])
    throw new Error(`${JSON.stringify(text)} is no range of ports like 30000-32767`)
  return range
}

function durationOf(text: string): number {
  const ms = parseDuration(text)
  if (!(ms > 0)) throw new Error(`${JSON.stringify(text)} is no time like 1h or 30m`)
  return ms
}

async function openAudit(loaded: LoadedConfiguration, deps: Deps): Promise<Audit | undefined> {
  const { audit } = loaded.configuration
  if (!audit) return undefined
  if (!audit.policyFile) throw new UserError(`${loaded.file}: audit.policyFile: Required value`, '')
  if (!audit.log?.path && !audit.webhook?.kubeconfigFile)
    throw new UserError(
      `${loaded.file}: audit.log.path: Required value: where the events go, or - for the standard output`,
      'Events may go to audit.webhook.kubeconfigFile instead, or as well.',
    )
  const policyFile = loaded.path(audit.policyFile)
  const { createAudit } = await import('../../apiserver/audit/audit.ts')
  const { readPolicy } = await import('../../apiserver/audit/policy.ts')
  const policy = await about(policyFile, 'Policy', () => readPolicy(readFileSync(policyFile, 'utf8')))
  const backends = [await logBackend(loaded, deps), await webhookOf(loaded, deps)]
  return createAudit({
    policy,
    backends: backends.filter(each => each !== undefined),
    clock: deps.clock,
    uuid: deps.uuid,
  })
}

async function logBackend({ configuration, file, path: from }: LoadedConfiguration, deps: Deps) {
  const { path, ...rest } = configuration.audit?.log ?? {}
  if (!path) return undefined
  const { fileBackend } = await import('../../apiserver/audit/file-backend.ts')
  return about(file, 'audit.log', () => fileBackend({ ...rest, path: path === '-' ? path : from(path) }, deps))
}

/** An answer is waited for so long, in ms, as upstream does. */
const POST_TIMEOUT = 30_000

async function webhookOf({ configuration, file, path }: LoadedConfiguration, deps: Deps) {
  const { kubeconfigFile, batchMaxSize, batchBufferSize, batchMaxWait, initialBackoff } =
    configuration.audit?.webhook ?? {}
  if (!kubeconfigFile) return undefined
  const { webhookBackend } = await import('../../apiserver/audit/webhook-backend.ts')
  const { openWebhook } = await import('../../apiserver/webhooks/connection.ts')
  const endpoint = await about(file, 'audit.webhook.kubeconfigFile', () =>
    openWebhook(path(kubeconfigFile), deps.clock),
  )
  const time = (field: string, text: string) => about(file, `audit.webhook.${field}`, () => durationOf(text))
  const post = async (body: string) => {
    try {
      await endpoint.post(JSON.parse(body), { timeoutMs: POST_TIMEOUT })
    } catch (error) {
      // What a server says that took the events is of no interest, JSON or not.
      const { status = 0 } = error as { status?: number }
      if (status < 200 || status > 299) throw error
    }
  }
  return webhookBackend(
    { post, clock: deps.clock, logger: deps.logger },
    {
      ...(batchMaxSize && { maxSize: batchMaxSize }),
      ...(batchBufferSize && { bufferSize: batchBufferSize }),
      ...(batchMaxWait && { maxWait: time('batchMaxWait', batchMaxWait) }),
      ...(initialBackoff && { initialBackoff: time('initialBackoff', initialBackoff) }),
    },
  )
}

async function authenticationOf({ configuration, file, path }: LoadedConfiguration) {
  const { configurationFile, tokenFile } = configuration.authentication ?? {}
  const read = (name: string) => readFileSync(path(name), 'utf8')
  const chosen =
    configurationFile &&
    (await about(file, 'authentication.configurationFile', () =>
      readAuthenticationConfiguration(read(configurationFile)),
    ))
  const tokens = tokenFile && about(file, 'authentication.tokenFile', () => read(tokenFile))
  const { kubeconfigFile, cacheTTL } = configuration.authentication?.webhook ?? {}
  const cacheMs = cacheTTL && about(file, 'authentication.webhook.cacheTTL', () => durationOf(cacheTTL))
  return {
    ...(chosen && { configuration: chosen }),
    ...(tokens && { tokens }),
    ...(kubeconfigFile && { webhook: { kubeconfig: path(kubeconfigFile), ...(cacheMs && { cacheMs }) } }),
  }
}

async function authorizationOf({ configuration, file, path }: LoadedConfiguration) {
  const name = configuration.authorization?.configurationFile
  if (!name) return undefined
  return about(file, 'authorization.configurationFile', () =>
    readAuthorizationConfiguration(readFileSync(path(name), 'utf8')),
  )
}

async function admissionOf({ configuration, file, path }: LoadedConfiguration): Promise<AdmissionOptions | undefined> {
  if (!configuration.admission) return undefined
  const { configurationFile: name, ...lists } = configuration.admission
  if (!name) return lists
  // Files that it names are meant from where it stands itself.
  const from = (each: string) => readFileSync(resolve(dirname(path(name)), each), 'utf8')
  const configured = await about(file, 'admission.configurationFile', () =>
    readAdmissionConfiguration(readFileSync(path(name), 'utf8'), from),
  )
  return { ...lists, ...configured }
}

function encryptionOf({ configuration: { encryption }, path }: LoadedConfiguration): Settings['encryption'] {
  if (encryption?.enabled === false) return false
  return encryption?.configurationFile ? path(encryption.configurationFile) : undefined
}

/** Reads the configuration and all that it names. `file` is absent where there is none. Rejects with `UserError`. */
export async function loadSettings(file: string | undefined, deps: Deps): Promise<Settings> {
  const loaded = file ? await loadConfiguration(file) : NO_CONFIGURATION
  const { network, events }: Configuration = loaded.configuration
  const of = <T>(field: string, read: () => T) => about(loaded.file, field, read)
  const { serviceCIDR = SERVICE_CIDR, nodePortRange } = network ?? {}
  const ttl = events?.ttl
  const authentication = await authenticationOf(loaded)
  const authorization = await authorizationOf(loaded)
  const admission = await admissionOf(loaded)
  return {
    kinds: of('runtimeConfig', () => servedKinds(kinds, loaded.configuration.runtimeConfig ?? {})),
    featuresOff: of('featureGates', () => chooseFeatures(loaded.configuration.featureGates ?? {})),
    serviceCidr: of('network.serviceCIDR', () => serviceCidrOf(serviceCIDR)),
    extension: {
      ...(nodePortRange && { nodePorts: of('network.nodePortRange', () => portRangeOf(nodePortRange)) }),
      ...(ttl && { eventTtl: of('events.ttl', () => durationOf(ttl)) }),
      ...(admission && { admission }),
      ...(Object.keys(authentication).length > 0 && { authentication }),
      ...(authorization && { authorization }),
    },
    audit: await openAudit(loaded, deps),
    encryption: encryptionOf(loaded),
  }
}
