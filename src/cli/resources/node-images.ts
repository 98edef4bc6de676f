/** Images of the cluster's nodes, which are asked one by one, through the API server. */
import type { Readable } from 'node:stream'
import type { Node } from '../../api/kinds/core/node.ts'
import { getList } from '../api.ts'
import { type Connection, UserError } from '../context.ts'
import { upload } from '../upload.ts'

export const nodePath = (node: string, rest: string): string =>
  `/api/v1/nodes/${encodeURIComponent(node)}/proxy/images${rest}`

/** Names of the nodes that were named, or of all. Throws `UserError` for one that there is not. */
export async function nodeNames({ transport }: Connection, wanted?: readonly string[]): Promise<readonly string[]> {
  const all = (await getList<Node>(transport, '/api/v1/nodes')).map(node => node.metadata?.name ?? '')
  const missing = wanted?.find(name => !all.includes(name))
  if (missing) throw new UserError(`there is no node ${missing}`, `There are: ${all.join(', ')}.`)
  return wanted ?? all
}

/** Sends an archive to a node, for the runtime of a handler ('' is the default one); resolves with its images' names. */
export async function importArchive(
  connection: Connection,
  node: string,
  handler: string,
  archive: Readable,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const path = nodePath(node, `/import?handler=${encodeURIComponent(handler)}`)
  const answer = await upload(connection, path, archive, signal)
  return (answer as { names: readonly string[] }).names
}
