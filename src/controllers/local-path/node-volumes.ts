/** Asks nodes to make and remove folders, through the API server as everyone who wants something of a node. */
import { send } from '../../client/client.ts'
import type { ApiRequest, Transport } from '../../client/transport.ts'
import { readBody } from '../../lib/bounded-body.ts'

export interface NodeVolumes {
  /**
   * Makes a folder, or gives one that stands another size. Resolves with the path on the node. Rejects when the node
   * refuses or cannot be reached.
   */
  make(node: string, folder: string, bytes: number): Promise<string>
  remove(node: string, folder: string): Promise<void>
  /** Lets volumes of a claim that the node's pods use take the size that they have by now. */
  expand(node: string, namespace: string, claim: string): Promise<void>
}

/** A node's answer is shorter, bytes. */
const ANSWER_LIMIT = 64 * 1024

/** `transport` is of a user that may update and delete `nodes/proxy`. */
export function createNodeVolumes(transport: Transport): NodeVolumes {
  const ask = async (method: ApiRequest['method'], node: string, names: readonly string[], query = {}) => {
    const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/${names.map(encodeURIComponent).join('/')}`
    const response = await send(transport, { method, path, query })
    if (response.object || !response.bytes) return response.object ?? {}
    return JSON.parse(String(await readBody(response.bytes, ANSWER_LIMIT)) || '{}')
  }
  return {
    async make(node, folder, bytes) {
      return ((await ask('PUT', node, ['volumes', folder], { bytes: String(bytes) })) as { path: string }).path
    },
    async remove(node, folder) {
      await ask('DELETE', node, ['volumes', folder])
    },
    async expand(node, namespace, claim) {
      await ask('PUT', node, ['claims', namespace, claim])
    },
  }
}
