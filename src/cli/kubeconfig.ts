/** The context `tutti` in the kubeconfig that kubectl reads: where it goes, and how it leaves again. */
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { addContext, readKubeconfig, removeContext } from '../lib/kubeconfig.ts'
import type { Context, Io } from './context.ts'
import type { Instance } from './instance.ts'

/** Name of context, cluster and user. */
export const CONTEXT_NAME = 'tutti'

/** The file that kubectl writes to: the first of $KUBECONFIG, or ~/.kube/config. */
export const userKubeconfig = ({ env }: Pick<Io, 'env'>) =>
  env.KUBECONFIG?.split(delimiter).find(Boolean) ?? join(env.HOME ?? homedir(), '.kube', 'config')

/** The program's own, always there while it runs: DATA_DIR/kubeconfig. */
export const ownKubeconfig = (dataDir: string) => join(dataDir, 'kubeconfig')

const AUTHORITY = 'certificate-authority-data'
/** What is read of a cluster in a kubeconfig. */
type Shown = { readonly server?: string; readonly [AUTHORITY]?: string }

const decode = (text: unknown) => Buffer.from(String(text), 'base64').toString()

/**
 * Adds the context to `only`, or to the user's kubeconfig. Returns what was written, in words, and what could not be:
 * a kubeconfig of the user's that is broken is left alone, the cluster works without it.
 */
export async function writeKubeconfigs(
  context: Pick<Context, 'io' | 'dataDir'>,
  instance: Instance,
  only?: string,
): Promise<{ written: string[]; notes: string[] }> {
  const own = await readKubeconfig(ownKubeconfig(context.dataDir))
  const cluster = own?.clusters?.[0]?.cluster as Record<string, unknown> | undefined
  const user = own?.users?.[0]?.user as Record<string, unknown> | undefined
  if (!cluster || !user)
    throw new Error(`${ownKubeconfig(context.dataDir)} is missing or has no cluster and user in it`)
  const path = only ? resolve(only) : userKubeconfig(context.io)
  const entry = {
    name: CONTEXT_NAME,
    server: instance.server,
    authority: decode(cluster[AUTHORITY]),
    certificate: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  }
  try {
    await addContext(path, entry)
    return { written: [only ? path : `context ${CONTEXT_NAME} in ${path}`], notes: [] }
  } catch (error) {
    if (only) throw error
    return {
      written: [ownKubeconfig(context.dataDir)],
      notes: [
        `${path} was left as it is: ${(error as Error).message}. Use kubectl --kubeconfig ${ownKubeconfig(context.dataDir)}`,
      ],
    }
  }
}

/** Takes the context out of the user's kubeconfig, unless it belongs to another cluster, or to one that goes on without this machine. */
export async function forgetKubeconfig(
  { io, dataDir }: Pick<Context, 'io' | 'dataDir'>,
  instance: Instance,
): Promise<void> {
  if (instance.role === 'node') return
  const path = userKubeconfig(io)
  const [user, own] = await Promise.all(
    [path, ownKubeconfig(dataDir)].map(file => readKubeconfig(file).catch(() => undefined)),
  )
  const shown = user?.clusters?.find(each => each.name === CONTEXT_NAME)?.cluster as Shown | undefined
  const authority = (own?.clusters?.[0]?.cluster as Shown | undefined)?.[AUTHORITY]
  // A port may have been another when it was written; the authority is the cluster's own for good.
  const isOwn = authority ? shown?.[AUTHORITY] === authority : shown?.server === instance.server
  if (shown && isOwn) await removeContext(path, CONTEXT_NAME)
}
