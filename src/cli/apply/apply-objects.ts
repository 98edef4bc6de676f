/** Server-side apply of manifests, one after the other in their order. */
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

/** Applies every manifest; stops at the first that is refused. */
export async function applyObjects(
  transport: Transport,
  manifests: readonly Manifest[],
  options: ApplyOptions,
): Promise<Applied[]> {
  const all: Applied[] = []
  for (const manifest of manifests) {
    const applied = await applyOne(transport, manifest, options)
    options.onApplied?.(applied)
    all.push(applied)
  }
  return all
}
