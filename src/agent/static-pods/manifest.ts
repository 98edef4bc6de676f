/** A pod out of a file of the node's own (https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/). */
import { createHash } from 'node:crypto'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { SOURCE } from '../pod/object.ts'

export const HASH = 'kubernetes.io/config.hash'
export const SEEN = 'kubernetes.io/config.seen'
export const MIRROR = 'kubernetes.io/config.mirror'

/** Objects that such a pod may not name: it must run without an API server. */
const REFERENCES = ['serviceaccounts', 'secrets', 'configmaps', 'persistentvolumeclaims', 'resourceclaims'] as const

export interface ManifestContext {
  readonly nodeName: string
  /** Of the file, for the pod's uid. */
  readonly file: string
  /** ms since the epoch. */
  readonly now: number
}

function isPod(value: unknown): value is Pod {
  const { apiVersion, kind } = (value ?? {}) as { apiVersion?: unknown; kind?: unknown }
  return apiVersion === 'v1' && kind === 'Pod'
}

/**
 * Reads the text of a manifest, YAML or JSON. The same text in the same file of the same node is the same pod, by its
 * uid. Rejects with an `Error` that says what is wrong.
 */
export async function readManifest(text: string, { nodeName, file, now }: ManifestContext): Promise<Pod> {
  const [{ parse }, { Pod: kind }, { podReferences }] = await Promise.all([
    import('yaml'),
    import('../../api/kinds/core/pod.ts'),
    import('../../api/kinds/core/pod-references.ts'),
  ])
  const read: unknown = parse(text)
  if (!isPod(read)) throw new Error('it holds no pod: apiVersion must be v1, and kind Pod')
  const { name, namespace = 'default', uid: own, annotations, ...metadata } = read.metadata ?? {}
  if (!name) throw new Error('invalid pod: name is needed for the pod')
  const hash = createHash('sha256').update(JSON.stringify(read)).update(`\0${nodeName}\0${file}`).digest('hex')
  const uid = own ?? hash.slice(0, 32)
  const tolerations = [...(read.spec?.tolerations ?? []), { operator: 'Exists' as const, effect: 'NoExecute' as const }]
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      name: `${name}-${nodeName.toLowerCase()}`,
      namespace,
      uid,
      annotations: { ...annotations, [HASH]: uid, [SOURCE]: 'file', [SEEN]: rfc3339(now) },
    },
    spec: { ...read.spec!, nodeName, tolerations },
  }
  kind.defaults?.(pod)
  const [problem] = (kind.rules ?? []).flatMap(rule => rule(pod, undefined, { subresource: '', now }))
  if (problem) throw new Error(`invalid pod: ${problem.field}: ${problem.message}`)
  const named = REFERENCES.find(type => [...podReferences(pod, type)].some(Boolean))
  if (named) throw new Error(`static pods may not reference ${named}`)
  return pod
}
