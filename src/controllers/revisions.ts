/**
 * The templates that a DaemonSet or StatefulSet has had, kept as ControllerRevisions for `kubectl rollout`: which is the
 * current one, which must be written, and which may go (as upstream's pkg/controller/history).
 */
import type { PodTemplateSpec } from '../api/generated/types/core-v1.ts'
import { ControllerRevision } from '../api/kinds/apps/controller-revision.ts'
import { selectorFromLabelSelector } from '../api/machinery/label-selector.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import { objectKey } from '../client/informer-types.ts'
import type { Resource } from '../client/resource.ts'
import type { View } from '../control/controller.ts'
import type { Write } from '../control/plan.ts'
import { equalJson } from '../lib/json.ts'
import { templateHash } from './deployment/template.ts'
import { claim, controllerReference } from './owner.ts'

/** An object whose templates are kept. */
export interface Templated extends KubeObject {
  readonly spec?: {
    readonly template?: PodTemplateSpec
    readonly selector?: object
    readonly revisionHistoryLimit?: number
  }
  readonly status?: { readonly collisionCount?: number }
}

export interface History {
  /** Oldest first. */
  readonly revisions: readonly ControllerRevision[]
  /** That of the present template; absent until `writes` are done. */
  readonly current: ControllerRevision | undefined
  /** What makes it so: adoptions, a new revision, or an old one that becomes the newest. */
  readonly writes: readonly Write[]
}

/** Longest prefix of a name to which a hash is added. */
const NAME_CHARS = 223

/** The template in a revision; it is stored as the patch that brings it back. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { spec } = (revision.data ?? {}) as { spec?: { template?: PodTemplateSpec & { $patch?: string } } }
  const { $patch: _, ...template } = spec?.template ?? {}
  return template
}

/** Oldest first: by number, then by time, then by name. */
function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  const [left, right] = [a.metadata, b.metadata]
  const created = (left?.creationTimestamp ?? '').localeCompare(right?.creationTimestamp ?? '')
  return a.revision - b.revision || created || (left?.name ?? '').localeCompare(right?.name ?? '')
}

/**
 * Looks at the revisions of an owner. `hashLabel` names the label that tells revisions apart. The view must have
 * ControllerRevisions with the index `uncontrolled`.
 */
export function historyOf<T extends Templated>(
  owner: T,
  resource: Resource<T>,
  view: View,
  hashLabel: string,
): History {
  const all = view.of<ControllerRevision>(ControllerRevision)
  const namespace = owner.metadata?.namespace ?? ''
  const selector = selectorFromLabelSelector(owner.spec?.selector)
  const { children, writes } = claim({
    owner,
    ownerResource: resource,
    resource: ControllerRevision,
    owned: all.byIndex('owner', owner.metadata?.uid ?? ''),
    orphans: all.byIndex('uncontrolled', namespace),
    matches: each => selector.matches(each.metadata?.labels),
  })
  const revisions = [...children].sort(byRevision)
  if (writes.length > 0) return { revisions, current: undefined, writes }
  const template = owner.spec?.template ?? {}
  const equal = revisions.findLast(each => equalJson(templateOf(each), template))
  const newest = revisions.at(-1)
  const next = (newest?.revision ?? 0) + 1
  if (!equal) {
    const fresh = newRevision(owner, resource, hashLabel, next, name => all.get(objectKey(namespace, name)))
    return { revisions, current: undefined, writes: [{ type: 'create', resource: ControllerRevision, object: fresh }] }
  }
  if (equal === newest) return { revisions, current: equal, writes: [] }
  const patch = { revision: next }
  return {
    revisions,
    current: undefined,
    writes: [{ type: 'patch', resource: ControllerRevision, object: equal, patch }],
  }
}

function newRevision<T extends Templated>(
  owner: T,
  resource: Resource<T>,
  hashLabel: string,
  revision: number,
  find: (name: string) => ControllerRevision | undefined,
): ControllerRevision {
  const { metadata = {}, spec = {}, status } = owner
  const template = spec.template ?? {}
  const prefix = (metadata.name ?? '').slice(0, NAME_CHARS)
  let collisions = status?.collisionCount
  let hash = templateHash(template, collisions)
  // Another template, or another owner's, has that name: hash on.
  while (find(`${prefix}-${hash}`)) {
    collisions = (collisions ?? 0) + 1
    hash = templateHash(template, collisions)
  }
  return {
    apiVersion: ControllerRevision.apiVersion,
    kind: ControllerRevision.kind,
    metadata: {
      name: `${prefix}-${hash}`,
      ...(metadata.namespace && { namespace: metadata.namespace }),
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(metadata.annotations && { annotations: metadata.annotations }),
      ownerReferences: [controllerReference(resource, owner)],
    },
    data: { spec: { template: { ...template, $patch: 'replace' } } } as NonNullable<ControllerRevision['data']>,
    revision,
  }
}

/** Deletes of the oldest revisions beyond the limit of those that `isLive` does not hold. */
export function surplus<T extends Templated>(
  owner: T,
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
): Write[] {
  const limit = owner.spec?.revisionHistoryLimit ?? 10
  const idle = revisions.filter(each => !isLive(each))
  if (limit < 0 || idle.length <= limit) return []
  return idle.slice(0, idle.length - limit).map(object => ({ type: 'delete', resource: ControllerRevision, object }))
}
