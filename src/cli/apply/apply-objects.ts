/** Server-side apply of manifests: kind after kind in their order, those of one kind side by side. */
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Transport } from '../../client/transport.ts'
import { pathOf, request } from '../api.ts'
import { UserError } from '../context.ts'
import { resourceOfObject } from '../resources/find-kind.ts'
import type { Manifest } from './manifests.ts'

export interface Applied {
  /** `deployment.apps/web`. */
  readonly name: string
  readonly outcome: 'created' | 'configured' | 'unchanged'
  readonly object: KubeObject
}

/** Requests at once: enough to share the commits of the store. */
const SIDE_BY_SIDE = 32

/** The name that kubectl prints for an object. */
export const printedName = (kind: { readonly group: string; readonly kind: string }, name: string) =>
  `${kind.kind.toLowerCase()}${kind.group ? `.${kind.group}` : ''}/${name}`

export interface ApplyOptions {
  readonly namespace: string
  /** Takes fields over that others own. */
  readonly force?: boolean
  readonly dryRun?: boolean
  onApplied?(applied: Applied): void
}

async function applyOne(
  transport: Transport,
  manifest: Manifest,
  { namespace, force, dryRun }: ApplyOptions,
): Promise<Applied> {
  const kind = await resourceOfObject(transport, manifest.apiVersion, manifest.kind)
  const name = manifest.metadata.name
  if (!name)
    throw new UserError(
      `${manifest.kind} without metadata.name cannot be applied`,
      'Objects with generateName are created, not applied: kubectl create -f',
    )
  const where = kind.namespaced ? (manifest.metadata.namespace ?? namespace) : undefined
  const path = pathOf(kind, where, name)
  const before = await transport({ method: 'GET', path })
  const object = await request<KubeObject>(transport, {
    method: 'PATCH',
    path,
    query: {
      fieldManager: 'tutti',
      fieldValidation: 'Strict',
      ...(force ? { force: 'true' } : {}),
      ...(dryRun ? { dryRun: 'All' } : {}),
    },
    contentType: 'application/apply-patch+yaml',
    body: { ...manifest, metadata: { ...manifest.metadata, ...(where ? { namespace: where } : {}) } },
  })
  const known = before.status < 400 ? (before.object as KubeObject).metadata?.resourceVersion : undefined
  return {
    name: printedName(kind, name),
    outcome: known === undefined ? 'created' : known === object.metadata?.resourceVersion ? 'unchanged' : 'configured',
    object,
  }
}

/** Neighbours of one kind, none of them twice: their order means nothing, so they may be applied side by side. */
function groupsOf(manifests: readonly Manifest[], namespace: string): Manifest[][] {
  const groups: Manifest[][] = []
  let kind = ''
  let seen = new Set<string>()
  for (const manifest of manifests) {
    const own = `${manifest.apiVersion}/${manifest.kind}`
    const id = `${manifest.metadata.namespace ?? namespace}/${manifest.metadata.name}`
    if (own !== kind || seen.has(id)) {
      groups.push([])
      seen = new Set()
    }
    kind = own
    seen.add(id)
    groups.at(-1)!.push(manifest)
  }
  return groups
}

/** Applies one group; `onApplied` hears of them in their order. */
async function applyGroup(transport: Transport, group: readonly Manifest[], options: ApplyOptions): Promise<Applied[]> {
  const done: (Applied | undefined)[] = []
  const failures: unknown[] = []
  let started = 0
  let told = 0
  const work = async () => {
    while (started < group.length && failures.length === 0) {
      const index = started++
      try {
        done[index] = await applyOne(transport, group[index]!, options)
        for (; done[told]; told++) options.onApplied?.(done[told]!)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(SIDE_BY_SIDE, group.length) }, work))
  const applied = done.filter(one => one !== undefined)
  // What was under way beside a refused one has been applied all the same.
  for (const one of done.slice(told)) if (one) options.onApplied?.(one)
  if (failures.length > 0) throw failures[0]
  return applied
}

/** Applies every manifest, in their order as far as it means something; starts no more once one is refused. */
export async function applyObjects(
  transport: Transport,
  manifests: readonly Manifest[],
  options: ApplyOptions,
): Promise<Applied[]> {
  const all: Applied[] = []
  for (const group of groupsOf(manifests, options.namespace)) all.push(...(await applyGroup(transport, group, options)))
  return all
}
