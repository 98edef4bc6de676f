import { podReferences } from '../../api/kinds/core/pod-references.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import { isMirror, type Pod, type PodSpec } from './pod-shape.ts'
import { refuse } from './refusal.ts'

interface ServiceAccount extends KubeObject {
  automountServiceAccountToken?: boolean
  imagePullSecrets?: { name: string }[]
}

export interface ServiceAccountDeps {
  /** Reads service accounts. */
  readonly accounts: KindReader
  readonly clock: Clock
  /** A number from 0 to 1, for the volume's name. */
  random(): number
}

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
/** Seconds that a token in a pod is good for. An hour is asked for; older clients get more (see the token issuer). */
const EXPIRATION_SECONDS = 3607
/** The account `default` of a new namespace is made by a controller; a pod may wait for it this long, in ms. */
const DEFAULT_WAIT = 1500
/** Letters of generated names: none that make words. */
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

const tokenVolume = (name: string) => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: EXPIRATION_SECONDS } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  },
})

/** Mounts the token into every container that has nothing at its path; `suffix` makes the volume's name. */
function mountToken(spec: PodSpec, suffix: () => string): void {
  const existing = spec.volumes?.find(volume => volume.name.startsWith(VOLUME_PREFIX))
  const name = existing?.name ?? VOLUME_PREFIX + suffix()
  let needed = false
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some(mount => mount.mountPath === MOUNT_PATH)) continue
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: MOUNT_PATH }]
    needed = true
  }
  if (!existing && needed) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)]
}

function refuseMirror(request: AdmissionAttributes, pod: Pod): void {
  if (pod.spec.serviceAccountName) throw refuse(request, 'a mirror pod may not reference service accounts')
  if ([...podReferences(pod, 'secrets')].some(Boolean)) throw refuse(request, 'a mirror pod may not reference secrets')
  if (pod.spec.volumes?.some(({ projected }) => projected?.sources?.some(each => each.serviceAccountToken)))
    throw refuse(request, 'a mirror pod may not use ServiceAccountToken volume projections')
}

/** ServiceAccount: every pod has an account that exists, its token mounted and its pull secrets. */
export function serviceAccount(deps: ServiceAccountDeps): AdmissionPlugin {
  const { accounts, clock } = deps
  const suffix = () => Array.from({ length: 5 }, () => LETTERS[Math.floor(deps.random() * LETTERS.length)]).join('')
  const find = (namespace: string, name: string) => accounts.get(namespace, name)?.value as ServiceAccount | undefined

  const waitFor = (namespace: string, name: string): Promise<ServiceAccount | undefined> =>
    new Promise(resolve => {
      const finish = () => {
        timer.cancel()
        end()
        resolve(find(namespace, name))
      }
      const timer = clock.after(DEFAULT_WAIT, finish)
      const end = accounts.onChange(() => {
        if (find(namespace, name)) finish()
      })
    })

  return {
    name: 'ServiceAccount',
    handles: ({ kind, subresource, operation }) =>
      kind.key === 'v1/pods' && subresource === '' && operation === 'CREATE',
    async mutate(request) {
      const pod = request.object as Pod
      if (isMirror(pod)) return refuseMirror(request, pod)
      const name = pod.spec.serviceAccountName || 'default'
      pod.spec.serviceAccountName = name
      let account = find(request.namespace, name)
      if (!account && name === 'default') account = await waitFor(request.namespace, name)
      if (!account)
        throw refuse(
          request,
          `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
        )
      if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
        mountToken(pod.spec, suffix)
      if (!pod.spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
        pod.spec.imagePullSecrets = account.imagePullSecrets.map(secret => ({ name: secret.name }))
    },
    validate(request) {
      const pod = request.object as Pod
      if (isMirror(pod)) return refuseMirror(request, pod)
      if (!pod.spec.serviceAccountName)
        throw refuse(request, `no service account specified for pod ${request.namespace}/${pod.metadata?.name ?? ''}`)
    },
  }
}
