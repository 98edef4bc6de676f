/** Finds kinds by what people type: `pods`, `po`, `deploy`, `deployments.apps`. Built-in kinds first, then discovery. */
import { type Kind, kindKey } from '../../api/machinery/kind.ts'
import type { Resource } from '../../client/resource.ts'
import type { Transport } from '../../client/transport.ts'
import { request } from '../api.ts'
import { UserError } from '../context.ts'

/** What commands need to know of a kind. */
export type ResourceKind = Resource

/** The kinds that are known without asking; loaded when one is looked for, so that `tutti up` does without. */
const loadKinds = async () => (await import('../../api/kinds/all.ts')).kinds

/** A kind that was found by discovery, complete. */
function toResource(parts: Pick<Resource, 'group' | 'version' | 'kind' | 'plural' | 'namespaced'>): ResourceKind {
  const { group, version, plural } = parts
  const apiVersion = group ? `${group}/${version}` : version
  return { ...parts, apiVersion, key: kindKey(group, version, plural) }
}

const names = (kind: Kind) => [kind.plural, kind.singular, kind.kind.toLowerCase(), ...(kind.shortNames ?? [])]

interface DiscoveryList {
  items?: {
    metadata: { name: string }
    versions: {
      version: string
      resources: {
        resource: string
        responseKind: { kind: string }
        scope: string
        singularResource: string
        shortNames?: string[]
      }[]
    }[]
  }[]
}

async function discovered(
  transport: Transport,
  name: string,
  group: string | undefined,
): Promise<ResourceKind | undefined> {
  const list = await request<DiscoveryList>(transport, {
    method: 'GET',
    path: '/apis',
    accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  })
  for (const item of list.items ?? []) {
    if (group !== undefined && item.metadata.name !== group) continue
    for (const version of item.versions) {
      for (const resource of version.resources) {
        if (![resource.resource, resource.singularResource, ...(resource.shortNames ?? [])].includes(name)) continue
        return toResource({
          group: item.metadata.name,
          version: version.version,
          kind: resource.responseKind.kind,
          plural: resource.resource,
          namespaced: resource.scope === 'Namespaced',
        })
      }
    }
  }
  return undefined
}

/** The kind that `text` names. Throws `UserError` where there is none. */
export async function findResource(transport: Transport, text: string): Promise<ResourceKind> {
  const [name = '', ...rest] = text.toLowerCase().split('.')
  const group = rest.length > 0 ? rest.join('.') : undefined
  const builtIn = (await loadKinds()).find(
    kind => !kind.virtual && names(kind).includes(name) && (group === undefined || kind.group === group),
  )
  const found = builtIn ?? (await discovered(transport, name, group))
  if (!found)
    throw new UserError(
      `the server has no resource type "${text}"`,
      'Types and their short names: kubectl api-resources',
    )
  return found
}

/** The kind of an object of a manifest, by its apiVersion and kind. */
export async function resourceOfObject(transport: Transport, apiVersion: string, kind: string): Promise<ResourceKind> {
  const builtIn = (await loadKinds()).find(each => each.apiVersion === apiVersion && each.kind === kind)
  if (builtIn) return builtIn
  const list = await request<{ resources?: { name: string; kind: string; namespaced: boolean }[] }>(transport, {
    method: 'GET',
    path: apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
  }).catch(() => ({ resources: [] }))
  const resource = list.resources?.find(each => each.kind === kind && !each.name.includes('/'))
  if (!resource) throw new UserError(`no kind "${kind}" in version "${apiVersion}" is known to the server`)
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  return toResource({ group: group!, version: version!, kind, plural: resource.name, namespaced: resource.namespaced })
}

/** `pod/web`, `pod web db`, `deploy/web svc/web`: each kind with a name; a kind alone gives no names. */
export async function findTargets(
  transport: Transport,
  args: readonly string[],
): Promise<{ kind: ResourceKind; names: string[] }[]> {
  if (args[0]?.includes('/')) {
    return Promise.all(
      args.map(async argument => {
        const [type = '', name = ''] = argument.split('/')
        if (!type || !name) throw new UserError(`"${argument}" must be TYPE/NAME`)
        return { kind: await findResource(transport, type), names: [name] }
      }),
    )
  }
  const [types = '', ...targets] = args
  return Promise.all(
    types.split(',').map(async type => ({ kind: await findResource(transport, type), names: [...targets] })),
  )
}
