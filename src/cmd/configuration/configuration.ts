/**
 * The one configuration file of a cluster (`tutti up --config FILE`, or DATA_DIR/config.yaml where it is there): what
 * kube-apiserver has flags for. Files that it names are those of Kubernetes.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readConfiguration, type Shape } from '../../apiserver/configuration/read.ts'
import { UserError } from '../../cli/context.ts'
import { wrongAt } from './fields.ts'

export const GROUP = { group: 'tutti.dev', versions: ['v1alpha1'] }
export const KIND = 'TuttiConfiguration'

export interface Configuration {
  readonly runtimeConfig?: Readonly<Record<string, boolean>>
  readonly featureGates?: Readonly<Record<string, boolean>>
  readonly network?: {
    readonly serviceCIDR?: string
    readonly nodePortRange?: string
    readonly clusterCIDR?: string
    readonly nodeCIDRMaskSize?: number
    readonly nodeCIDRMaskSizeIPv6?: number
    readonly loadBalancerPools?: readonly { readonly name?: string; readonly addresses?: readonly string[] }[]
  }
  readonly admission?: {
    readonly enable?: readonly string[]
    readonly disable?: readonly string[]
    readonly configurationFile?: string
  }
  readonly authentication?: {
    readonly configurationFile?: string
    readonly tokenFile?: string
    readonly webhook?: { readonly kubeconfigFile?: string; readonly cacheTTL?: string }
  }
  readonly authorization?: { readonly configurationFile?: string }
  readonly audit?: {
    readonly policyFile?: string
    readonly log?: {
      readonly path?: string
      readonly maxSize?: number
      readonly maxBackups?: number
      readonly maxAge?: number
      readonly compress?: boolean
      readonly truncate?: { readonly enabled?: boolean; readonly maxEventSize?: number }
    }
    readonly webhook?: {
      readonly kubeconfigFile?: string
      readonly batchMaxSize?: number
      readonly batchBufferSize?: number
      readonly batchMaxWait?: string
      readonly batchThrottleEnable?: boolean
      readonly batchThrottleQPS?: number
      readonly batchThrottleBurst?: number
      readonly truncate?: {
        readonly enabled?: boolean
        readonly maxEventSize?: number
        readonly maxBatchSize?: number
      }
      readonly initialBackoff?: string
    }
  }
  readonly encryption?: { readonly enabled?: boolean; readonly configurationFile?: string }
  readonly events?: { readonly ttl?: string }
  readonly node?: {
    readonly maxPods?: number
    /** Quantities of `cpu`, `memory`, `ephemeral-storage`. */
    readonly reserved?: Readonly<Record<string, string>>
  }
  readonly ingress?: {
    readonly enabled?: boolean
    /** 0 takes a free one. */
    readonly httpPort?: number
    readonly httpsPort?: number
    /** Ranges of addresses. */
    readonly trustedProxies?: readonly string[]
  }
  readonly containers?: {
    readonly runtimeEndpoint?: string
    readonly sandboxImage?: string
    readonly cgroupDriver?: string
    /** Folder where device plugins register. */
    readonly devicePlugins?: string
  }
  readonly registries?: readonly {
    readonly host?: string
    readonly mirrors?: readonly string[]
    readonly caFile?: string
  }[]
}

const strings: Shape = ['string']

/** What may stand in the file. */
export const SHAPE: Shape = {
  runtimeConfig: { '*': 'boolean' },
  featureGates: { '*': 'boolean' },
  network: {
    serviceCIDR: 'string',
    nodePortRange: 'string',
    clusterCIDR: 'string',
    nodeCIDRMaskSize: 'number',
    nodeCIDRMaskSizeIPv6: 'number',
    loadBalancerPools: [{ name: 'string', addresses: strings }],
  },
  admission: { enable: strings, disable: strings, configurationFile: 'string' },
  authentication: {
    configurationFile: 'string',
    tokenFile: 'string',
    webhook: { kubeconfigFile: 'string', cacheTTL: 'string' },
  },
  authorization: { configurationFile: 'string' },
  audit: {
    policyFile: 'string',
    log: {
      path: 'string',
      maxSize: 'number',
      maxBackups: 'number',
      maxAge: 'number',
      compress: 'boolean',
      truncate: { enabled: 'boolean', maxEventSize: 'number' },
    },
    webhook: {
      kubeconfigFile: 'string',
      batchMaxSize: 'number',
      batchBufferSize: 'number',
      batchMaxWait: 'string',
      batchThrottleEnable: 'boolean',
      batchThrottleQPS: 'number',
      batchThrottleBurst: 'number',
      truncate: { enabled: 'boolean', maxEventSize: 'number', maxBatchSize: 'number' },
      initialBackoff: 'string',
    },
  },
  encryption: { enabled: 'boolean', configurationFile: 'string' },
  events: { ttl: 'string' },
  node: { maxPods: 'number', reserved: { '*': 'string' } },
  ingress: { enabled: 'boolean', httpPort: 'number', httpsPort: 'number', trustedProxies: strings },
  containers: { runtimeEndpoint: 'string', sandboxImage: 'string', cgroupDriver: 'string', devicePlugins: 'string' },
  registries: [{ host: 'string', mirrors: strings, caFile: 'string' }],
}

/** A configuration, and the paths in it as they are meant: from where the file is. */
export interface LoadedConfiguration {
  readonly configuration: Configuration
  /** Where it stands; '' where there is none. */
  readonly file: string
  path(name: string): string
}

export const NO_CONFIGURATION: LoadedConfiguration = { configuration: {}, file: '', path: name => name }

/** The configuration that lies in a data directory; undefined where there is none. */
export function configurationIn(dataDir: string): string | undefined {
  const file = join(dataDir, 'config.yaml')
  return existsSync(file) ? file : undefined
}

/** Reads the file. Throws `UserError` that names it and the field that is wrong. */
export async function loadConfiguration(file: string): Promise<LoadedConfiguration> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UserError(`the configuration ${file} cannot be read: ${(cause as Error).message}`, '', { cause })
  }
  try {
    const configuration = await readConfiguration<Configuration>(text, KIND, SHAPE, GROUP)
    return { configuration, file, path: name => resolve(dirname(file), name) }
  } catch (cause) {
    throw wrongAt(file, cause)
  }
}
