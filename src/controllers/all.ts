/** Every controller, in one list. */
import { kinds as allKinds } from '../api/kinds/all.ts'
import { HorizontalPodAutoscaler } from '../api/kinds/autoscaling/horizontal-pod-autoscaler.ts'
import { CertificateSigningRequest } from '../api/kinds/certificates/certificate-signing-request.ts'
import { StorageClass } from '../api/kinds/storage/storage-class.ts'
import type { Kind } from '../api/machinery/kind.ts'
import { type Client, createClient } from '../client/client.ts'
import { createInformers, type Informers } from '../client/informers.ts'
import type { Transport } from '../client/transport.ts'
import type { Controller } from '../control/controller.ts'
import type { Component } from '../control/lifetime.ts'
import { type ControllerMetrics, runController } from '../control/run-controller.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/log.ts'
import type { KeyPair } from '../lib/pki/certificate.ts'
import { CONTROLLER_ACCOUNTS } from './accounts.ts'
import { policyStatusController } from './admission-policy-status/component.ts'
import { attachDetachController } from './attach-detach/controller.ts'
import { bootstrapSigner } from './bootstrap-signer/controller.ts'
import { certificateApprover } from './certificates/approver.ts'
import { certificateCleaner } from './certificates/cleaner.ts'
import { certificateSigner } from './certificates/signer.ts'
import { cronJobController } from './cron-job/controller.ts'
import { daemonSetController } from './daemon-set/controller.ts'
import { deploymentController } from './deployment/controller.ts'
import { disruptionController } from './disruption/controller.ts'
import { staleDisruptionController } from './disruption/stale.ts'
import { endpointSliceController } from './endpoint-slice/controller.ts'
import { endpointSliceMirroringController } from './endpoint-slice-mirroring/controller.ts'
import { endpointsController } from './endpoints/controller.ts'
import { ephemeralVolumeController } from './ephemeral-volume/controller.ts'
import { garbageCollector } from './garbage/component.ts'
import { horizontalPodAutoscaler } from './horizontal-pod-autoscaler/component.ts'
import { jobController } from './job/controller.ts'
import { legacyTokenCleaner } from './legacy-token-cleaner/controller.ts'
import { localPathProvisioner } from './local-path/component.ts'
import { namespaceController } from './namespace/component.ts'
import { type NodeRanges, nodeIpamController } from './node-ipam/controller.ts'
import { nodeLifecycleController } from './node-lifecycle/controller.ts'
import { claimBinder } from './persistent-volume/claims.ts'
import { volumePhases } from './persistent-volume/volumes.ts'
import { podGarbageController } from './pod-garbage/controller.ts'
import { replicaSetController } from './replica-set/controller.ts'
import { replicationController } from './replication-controller/controller.ts'
import { rootCaController } from './root-ca/controller.ts'
import { createServedKinds, type WhenUsed } from './served-kinds.ts'
import { serviceAccountController } from './service-account/controller.ts'
import { serviceCidrController } from './service-cidr/controller.ts'
import { statefulSetController } from './stateful-set/controller.ts'
import { taintEvictionController } from './taint-eviction/controller.ts'
import { tokenCleaner } from './token-cleaner/controller.ts'
import { tokenSecretController } from './token-secret/controller.ts'
import { ttlAfterFinishedController } from './ttl-after-finished/controller.ts'
import { attributesClassProtection } from './volume-protection/attributes-class.ts'
import { claimProtection, volumeProtection } from './volume-protection/controller.ts'

/** Those that are data; see `controllerComponents` for all. */
export const controllers: readonly Controller[] = [
  deploymentController,
  replicaSetController,
  replicationController,
  statefulSetController,
  daemonSetController,
  jobController,
  cronJobController,
  ttlAfterFinishedController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
  serviceAccountController,
  nodeLifecycleController,
  taintEvictionController,
  podGarbageController,
  disruptionController,
  staleDisruptionController,
  ephemeralVolumeController,
  claimBinder,
  attachDetachController,
  volumePhases,
  claimProtection,
  volumeProtection,
  attributesClassProtection,
  certificateCleaner,
  serviceCidrController,
  tokenCleaner,
  bootstrapSigner,
  legacyTokenCleaner,
]

export interface ControllersDeps {
  /** As a user that may do everything that controllers do. */
  readonly transport: Transport
  /** The same as a service account of kube-system: controllers that have one of their own write as it. */
  transportAs?(account: string): Transport
  /** Informers to share with others under the same identity; default: their own, which run until `signal` aborts. */
  readonly informers?: Informers
  /** Built-in kinds that the server serves; a controller that looks at another one does not run. Default: all. */
  readonly kinds?: readonly Kind[]
  /** When custom kinds need to be followed. Default: from the beginning. */
  readonly whenUsed?: WhenUsed
  readonly clock: Clock
  readonly logger: Logger
  /** PEM of the cluster's certificate authority, for `kube-root-ca.crt`; without it none is published. */
  readonly rootCa?: string
  /** That authority with its key, to sign certificate requests with; without it none is signed. */
  authority?(): Promise<KeyPair>
  /** Signs claims as a token of this cluster, for secrets that hold tokens; without it none is filled. */
  signToken?(claims: Readonly<Record<string, unknown>>): string
  /** Makes volumes on the disks of nodes, with the class `local-path`. Default: it does not. */
  readonly localVolumes?: boolean
  /** Where nodes get ranges for their pods from; without it they get none. */
  readonly nodeRanges?: NodeRanges
  /** Names and addresses of the API server, under which no node may serve. */
  readonly serverNames?: readonly string[]
  readonly metrics?: ControllerMetrics
}

/** Keys of the kinds that a controller looks at. */
const kindsOf = ({ for: own, owns = [], watches = [], reads = [] }: Controller): string[] =>
  [own, ...owns, ...watches.map(each => each.resource), ...reads.map(each => each.resource)].map(each => each.key)

/** What runs the controllers, for `runAll`. */
export function controllerComponents(options: ControllersDeps, signal: AbortSignal): Component[] {
  const { clock, logger, metrics, kinds = allKinds } = options
  const isServed = new Set(kinds.map(each => each.key))
  const client: Client = createClient(options.transport, { fieldManager: 'kube-controller-manager' })
  const informers = options.informers ?? createInformers(client, { clock, logger }, signal)
  const served = createServedKinds(informers, kinds, options.whenUsed)
  const deps = { client, informers, clock, logger, ...(metrics && { metrics }) }
  const clients = new Map<string, Client>()
  /** What a controller gets: the common caches, and a client under its own name. */
  const depsOf = (name: string) => depsAs(CONTROLLER_ACCOUNTS[name])
  const depsAs = (account: string | undefined) => {
    if (account === undefined || !options.transportAs) return deps
    let own = clients.get(account)
    if (!own) {
      own = createClient(options.transportAs(account), { fieldManager: 'kube-controller-manager' })
      clients.set(account, own)
    }
    return { ...deps, client: own }
  }
  const { rootCa, signToken } = options
  const plain = [
    ...controllers,
    ...(options.nodeRanges ? [nodeIpamController(options.nodeRanges)] : []),
    ...(rootCa ? [rootCaController(rootCa)] : []),
    ...(signToken ? [tokenSecretController({ sign: signToken, authority: rootCa ?? '' })] : []),
  ]
  return [
    ...plain
      .filter(each => kindsOf(each).every(key => isServed.has(key)))
      .map(controller => ({
        name: controller.name,
        run: (scope: AbortSignal) => runController(controller, depsOf(controller.name), scope),
      })),
    ...(options.authority && isServed.has(CertificateSigningRequest.key)
      ? [
          certificateSigner({
            ...depsOf('certificatesigningrequest-signing-controller'),
            authority: options.authority,
          }),
        ]
      : []),
    ...(isServed.has(CertificateSigningRequest.key)
      ? [
          certificateApprover({
            ...depsOf('certificatesigningrequest-approving-controller'),
            reserved: options.serverNames ?? [],
          }),
        ]
      : []),
    namespaceController({ ...depsOf('namespace-controller'), served }),
    policyStatusController(depsOf('validatingadmissionpolicy-status-controller')),
    ...(options.localVolumes && isServed.has(StorageClass.key)
      ? [localPathProvisioner(depsAs('local-path-provisioner'))]
      : []),
    ...(isServed.has(HorizontalPodAutoscaler.key)
      ? [horizontalPodAutoscaler({ ...depsOf('horizontal-pod-autoscaler'), served })]
      : []),
    garbageCollector({ ...depsOf('garbage-collector-controller'), served }),
  ]
}
