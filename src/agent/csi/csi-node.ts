/** What the node says of its CSI drivers: its CSINode, and on its Node the drivers' ids and the topology of the node. */
import type { CSINode, CSINodeDriver } from '../../api/generated/types/storage-v1.ts'
import { type Client, hasReason } from '../../client/client.ts'
import { cloneJson } from '../../lib/json.ts'
import { csiNodes, nodes } from '../resources.ts'
import type { NodeInfo } from './messages.ts'

const NODE_ID = 'csi.volume.kubernetes.io/nodeid'

const entryOf = (name: string, { nodeId, maxVolumesPerNode, accessibleTopology }: NodeInfo): CSINodeDriver => ({
  name,
  nodeID: nodeId,
  topologyKeys: Object.keys(accessibleTopology?.segments ?? {}).sort(),
  ...(maxVolumesPerNode > 0 && { allocatable: { count: maxVolumesPerNode } }),
})

/** Changes the list of drivers, as often as others change it meanwhile. */
async function change(client: Client, name: string, next: (drivers: readonly CSINodeDriver[]) => CSINodeDriver[]) {
  for (;;) {
    const found = await client.kind(csiNodes).find({ name })
    try {
      if (found) {
        const drivers = next(found.spec.drivers ?? [])
        await client.kind(csiNodes).update({ ...(cloneJson(found) as CSINode), spec: { drivers } })
        return
      }
      const owner = await client.kind(nodes).get({ name })
      const { uid = '' } = owner.metadata ?? {}
      await client.kind(csiNodes).create({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSINode',
        metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }] },
        spec: { drivers: next([]) },
      })
      return
    } catch (error) {
      if (!hasReason(error, 'Conflict', 'AlreadyExists')) throw error
    }
  }
}

/** The ids by driver, with one of them changed. */
async function changeIds(client: Client, name: string, driver: string, id: string | null, labels: object) {
  const node = await client.kind(nodes).get({ name })
  const ids: Record<string, string> = JSON.parse(node.metadata?.annotations?.[NODE_ID] ?? '{}')
  if (id === null) delete ids[driver]
  else ids[driver] = id
  const text = Object.keys(ids).length > 0 ? JSON.stringify(ids) : null
  await client
    .kind(nodes)
    .patch({ name }, { metadata: { annotations: { [NODE_ID]: text }, labels } }, { type: 'merge' })
}

/** Says that a driver is there; `name` is the node's. */
export async function addDriver(client: Client, name: string, driver: string, info: NodeInfo): Promise<void> {
  await changeIds(client, name, driver, info.nodeId, info.accessibleTopology?.segments ?? {})
  await change(client, name, drivers => [...drivers.filter(each => each.name !== driver), entryOf(driver, info)])
}

/** Says that a driver has gone. Labels stay: volumes are bound to them. */
export async function removeDriver(client: Client, name: string, driver: string): Promise<void> {
  await changeIds(client, name, driver, null, {})
  await change(client, name, drivers => drivers.filter(each => each.name !== driver))
}
