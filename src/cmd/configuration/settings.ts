/** From the configuration file to what the parts of a cluster take, with every file that it names read and checked. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { NodeLimits } from '../../agent/node/machine.ts'
import { kinds } from '../../api/kinds/all.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { AdmissionOptions } from '../../apiserver/admission/all.ts'
import { readAdmissionConfiguration } from '../../apiserver/admission/configuration.ts'
import type { Audit } from '../../apiserver/audit/audit.ts'
import { readAuthenticationConfiguration } from '../../apiserver/authentication/configuration.ts'
import { readAuthorizationConfiguration } from '../../apiserver/authorization/configuration.ts'
import type { ExtensionDeps } from '../../apiserver/bootstrap/extend.ts'
import type { Follow } from '../../apiserver/configuration/follow.ts'
import { chooseFeatures, type FeaturesOff } from '../../apiserver/features/features.ts'
import { servedKinds } from '../../apiserver/features/runtime-config.ts'
import { SERVICE_CIDR } from '../../apiserver/services/address-ranges.ts'
import { type NodeRanges, nodeIpamController } from '../../controllers/node-ipam/controller.ts'
import { type Cidr, type Family, formatCidr, parseCidrs } from '../../lib/ip-range.ts'
import { type AddressPool, parsePool } from '../../network/load-balancer/pools.ts'
import { openAudit } from './audit.ts'
import { type Configuration, type LoadedConfiguration, loadConfiguration, NO_CONFIGURATION } from './configuration.ts'
import { type ContainerSettings, containersOf } from './containers.ts'
import type { SettingsDeps } from './deps.ts'
import { about, durationOf } from './fields.ts'
import { followFile } from './follow-file.ts'
import { type IngressSettings, ingressOf } from './ingress.ts'
import { nodeLimits } from './node-limits.ts'

/** Ranges where nothing was said of them. */
const CLUSTER_CIDRS: Readonly<Record<Family, string>> = { IPv4: '10.244.0.0/16', IPv6: 'fd00:10:244::/56' }

export interface Settings {
  /** Built-in kinds that are served. */
  readonly kinds: readonly Kind[]
  readonly featuresOff: FeaturesOff
  /** Networks of services, one a family, the first family first: `10.96.0.0/16,fd00:10:96::/112`. */
  readonly serviceCidr: string
  /** What this machine keeps for itself. */
  readonly nodeLimits: NodeLimits
  /** Where the ranges of the nodes' pods come from. */
  readonly nodeRanges: NodeRanges
  /** Addresses for services of type LoadBalancer. */
  readonly addressPools: readonly AddressPool[]
  /** Options of `extendServer`. */
  readonly extension: Pick<ExtensionDeps, 'nodePorts' | 'eventTtl' | 'admission' | 'authentication' | 'authorization'>
  readonly audit: Audit | undefined
  /** `false`: nothing is encrypted; a path: by that EncryptionConfiguration; undefined: by a key of the cluster's own. */
  readonly encryption: string | false | undefined
  readonly containers: ContainerSettings
  /** How Ingresses are served; undefined: they are not. */
  readonly ingress: IngressSettings | undefined
}

/** Bits of a prefix of services (kube-apiserver has the same limits, but for the smallest). */
const SERVICE_BITS: Readonly<Record<Family, { least: number; most: number }>> = {
  IPv4: { least: 12, most: 30 },
  IPv6: { least: 64, most: 124 },
}

function serviceCidrOf(text: string): string {
  const cidrs = parseCidrs(text)
  for (const { family, bits } of cidrs) {
    const { least, most } = SERVICE_BITS[family]
    if (bits < least || bits > most) throw new Error(`${text} must have a prefix from /${least} to /${most}`)
  }
  return cidrs.map(formatCidr).join()
}

/** Ranges of pods in the families that services have, in their order. */
function nodeRangesOf(
  text: string | undefined,
  serviceCidr: string,
  bits: Readonly<Record<Family, number>>,
): NodeRanges {
  const families = parseCidrs(serviceCidr).map(cidr => cidr.family)
  const said = parseCidrs(text ?? families.map(family => CLUSTER_CIDRS[family]).join())
  if (said.map(({ family }) => family).join() !== families.join())
    throw new Error(`${text} must have the families of network.serviceCIDR, in their order: ${families.join()}`)
  const [first, ...others] = said
  const rangeOf = (cidr: Cidr) => ({ clusterCidr: formatCidr(cidr), nodeBits: bits[cidr.family] })
  const ranges: NodeRanges = [rangeOf(first), ...others.map(rangeOf)]
  // It says what is wrong.
  nodeIpamController(ranges)
  return ranges
}

function poolsOf(pools: NonNullable<NonNullable<Configuration['network']>['loadBalancerPools']>): AddressPool[] {
  const names = pools.map(({ name = 'default' }) => name)
  const twice = names.find((name, at) => names.indexOf(name) < at)
  if (twice !== undefined) throw new Error(`two pools are called ${JSON.stringify(twice)}`)
  return pools.map(({ addresses = [] }, at) => parsePool(names[at]!, addresses))
}

function portRangeOf(text: string): readonly [number, number] {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? []
  const range = [Number(first), Number(last)] as const
  if (!first || range[0] < 1 || range[1] > 65535 || range[0] > range[1])
    throw new Error(`${JSON.stringify(text)} is no range of ports like 30000-32767`)
  return range
}

/** What a file of settings says, and how it is followed. `field` names the file. */
async function followed<T>(
  { file: named, path }: LoadedConfiguration,
  { field, name, what, read }: { field: string; name: string; what: string; read(text: string): Promise<T> },
  deps: SettingsDeps,
): Promise<{ readonly configuration: T; readonly follow: Follow<T> }> {
  const file = path(name)
  const [known, configuration] = await about(named, field, async () => {
    const text = readFileSync(file, 'utf8')
    return [text, await read(text)] as const
  })
  const follow: Follow<T> = use => followFile({ file, what, known, ...deps }, async text => use(await read(text)))
  return { configuration, follow }
}

async function authenticationOf(loaded: LoadedConfiguration, deps: SettingsDeps) {
  const { configuration, file, path } = loaded
  const { configurationFile: name, tokenFile } = configuration.authentication ?? {}
  const [field, what] = ['authentication.configurationFile', 'the authentication configuration'] as const
  const chosen = name && (await followed(loaded, { field, name, what, read: readAuthenticationConfiguration }, deps))
  const tokens = tokenFile && about(file, 'authentication.tokenFile', () => readFileSync(path(tokenFile), 'utf8'))
  const { kubeconfigFile, cacheTTL } = configuration.authentication?.webhook ?? {}
  const cacheMs = cacheTTL && about(file, 'authentication.webhook.cacheTTL', () => durationOf(cacheTTL))
  return {
    ...chosen,
    ...(tokens && { tokens }),
    ...(kubeconfigFile && { webhook: { kubeconfig: path(kubeconfigFile), ...(cacheMs && { cacheMs }) } }),
  }
}

async function authorizationOf(loaded: LoadedConfiguration, deps: SettingsDeps) {
  const name = loaded.configuration.authorization?.configurationFile
  const [field, what] = ['authorization.configurationFile', 'the authorization configuration'] as const
  return name ? followed(loaded, { field, name, what, read: readAuthorizationConfiguration }, deps) : undefined
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
export async function loadSettings(file: string | undefined, deps: SettingsDeps): Promise<Settings> {
  const loaded = file ? await loadConfiguration(file) : NO_CONFIGURATION
  const { network, events }: Configuration = loaded.configuration
  const of = <T>(field: string, read: () => T) => about(loaded.file, field, read)
  const { nodePortRange, nodeCIDRMaskSize = 24, nodeCIDRMaskSizeIPv6 = 64 } = network ?? {}
  const serviceCidr = of('network.serviceCIDR', () => serviceCidrOf(network?.serviceCIDR ?? SERVICE_CIDR))
  const nodeBits = { IPv4: nodeCIDRMaskSize, IPv6: nodeCIDRMaskSizeIPv6 }
  const ttl = events?.ttl
  const authentication = await authenticationOf(loaded, deps)
  const authorization = await authorizationOf(loaded, deps)
  const admission = await admissionOf(loaded)
  return {
    kinds: of('runtimeConfig', () => servedKinds(kinds, loaded.configuration.runtimeConfig ?? {})),
    featuresOff: of('featureGates', () => chooseFeatures(loaded.configuration.featureGates ?? {})),
    serviceCidr,
    nodeLimits: nodeLimits(loaded),
    nodeRanges: of('network.clusterCIDR', () => nodeRangesOf(network?.clusterCIDR, serviceCidr, nodeBits)),
    addressPools: of('network.loadBalancerPools', () => poolsOf(network?.loadBalancerPools ?? [])),
    extension: {
      ...(nodePortRange && { nodePorts: of('network.nodePortRange', () => portRangeOf(nodePortRange)) }),
      ...(ttl && { eventTtl: of('events.ttl', () => durationOf(ttl)) }),
      ...(admission && { admission }),
      ...(Object.keys(authentication).length > 0 && { authentication }),
      ...(authorization && { authorization }),
    },
    audit: await openAudit(loaded, deps),
    encryption: encryptionOf(loaded),
    containers: containersOf(loaded),
    ingress: ingressOf(loaded),
  }
}
