/** Component statuses, which nobody makes. The parts of the cluster are told of one by one: a list has no order. */
import { type Ask, METADATA, METADATA_LIST, type Method, read, type Scene, TABLE } from '../ask.ts'

const ALL = '/api/v1/componentstatuses'
const NAMES = ['controller-manager', 'scheduler', 'etcd-0', 'none']

/** How the parts of the recorded server are: it runs alone. */
export const COMPONENTS = ['controller-manager', 'scheduler', 'etcd-0'].map((name, index) => {
  const port = [10257, 10259][index]
  if (!port) return { name, healthy: true, message: 'ok' }
  const address = `127.0.0.1:${port}`
  const message = `Get "https://${address}/healthz": dial tcp ${address}: connect: connection refused`
  return { name, healthy: false, message }
})

export function components(): Scene[] {
  const body = { apiVersion: 'v1', kind: 'ComponentStatus', metadata: { name: 'etcd-0' } }
  const refused = (method: Method, path: string): Ask => ({ title: `${method} ${path}`, method, path, body })
  const queries = [
    ...NAMES.map(name => `fieldSelector=metadata.name%3D${name}`),
    'labelSelector=a%3Db',
    'fieldSelector=metadata.name%21%3Detcd-0%2Cmetadata.name%21%3Dscheduler',
    'fieldSelector=metadata.namespace%3Dd',
    'fieldSelector=spec.odd%3Dx',
    'labelSelector=%21%21',
    'limit=1&fieldSelector=metadata.name%3Detcd-0',
    'limit=-1&fieldSelector=metadata.name%3Detcd-0',
    'resourceVersion=0&fieldSelector=metadata.name%3Detcd-0',
    'resourceVersion=x&fieldSelector=metadata.name%3Detcd-0',
  ]
  const asks: Ask[] = [
    ...NAMES.map(name => read(name, `${ALL}/${name}`)),
    ...NAMES.map(name => read(`${name} as table`, `${ALL}/${name}`, TABLE)),
    read('metadata', `${ALL}/etcd-0`, METADATA),
    ...queries.map(query => read(query, `${ALL}?${query}`)),
    read('list as table', `${ALL}?fieldSelector=metadata.name%3Dscheduler`, TABLE),
    read('list of metadata', `${ALL}?fieldSelector=metadata.name%3Dscheduler`, METADATA_LIST),
    read('watch', `${ALL}?watch=true`),
    ...(['POST', 'DELETE'] as const).map(method => refused(method, ALL)),
    ...(['PUT', 'PATCH', 'DELETE'] as const).map(method => refused(method, `${ALL}/etcd-0`)),
    read('in a namespace', '/api/v1/namespaces/d/componentstatuses'),
    read('below', `${ALL}/etcd-0/status`),
  ]
  return [{ topic: 'v1-ComponentStatus', name: 'read', asks }]
}
