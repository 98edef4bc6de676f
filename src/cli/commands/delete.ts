import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { removeTree } from '../../lib/mounts.ts'
import { deleteResources } from '../apply/delete-resources.ts'
import { defineCommand, NAMESPACE } from '../command.ts'
import type { Context, UpOptions } from '../context.ts'
import { UserError } from '../context.ts'
import { type Instance, lastInstance } from '../instance.ts'
import { forgetKubeconfig } from '../kubeconfig.ts'
import { isMember, memberName } from '../membership.ts'
import { withProgress } from '../output/progress.ts'
import { lastingInstance, stopInstance } from '../stop.ts'
import { removeAsRoot } from '../users.ts'

async function confirmed({ io }: Context, question: string): Promise<boolean> {
  if (!io.stdin.isTTY) throw new UserError('nobody is there to confirm', 'Say --yes to delete without being asked.')
  const terminal = createInterface({ input: io.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

/** Pods whose folders are still there: their processes may run. */
function podsLeft(dataDir: string): number {
  try {
    return readdirSync(join(dataDir, 'pods')).length
  } catch {
    return 0
  }
}

/**
 * Workloads outlive the program: where some may run, it is started once more in the mode of its last run, to stop them
 * and to put the network away. Undefined where nothing is left that could run, e.g. a cluster that never came up.
 */
async function startOnceMore(
  { dataDir, launcher, signal }: Context,
  last: Instance | undefined,
  say: (text: string) => void,
): Promise<Instance | undefined> {
  if (!last && podsLeft(dataDir) === 0) return undefined
  const network = (last?.network.mode ?? 'auto') as NonNullable<UpOptions['network']>
  const options = { dataDir, port: 0, network, ...(last?.asked ?? { runtime: 'auto' }), ending: true } as const
  try {
    // A node stops its workloads by itself: its server may be gone.
    const node = { role: 'node', dataDir, alone: true } as const
    return await launcher.start(isMember(dataDir) ? node : options, say, signal)
  } catch (cause) {
    if (podsLeft(dataDir) === 0) return undefined
    throw new UserError(
      `workloads of ${dataDir} may still run, and Tutti does not start to stop them: ${(cause as Error).message}`,
      `${cause instanceof UserError && cause.hint ? `${cause.hint}\n` : ''}Then: tutti delete --data-dir ${dataDir}`,
      { cause },
    )
  }
}

async function deleteCluster(context: Context, yes: boolean): Promise<number> {
  const { dataDir, io } = context
  if (!existsSync(dataDir)) {
    io.out(`There is nothing in ${dataDir}.\n`)
    return 0
  }
  const member = isMember(dataDir)
  const nodeName = memberName(dataDir)
  // A start that was interrupted early leaves nothing but its log.
  const begun = readdirSync(dataDir).some(name => name !== 'tutti.log')
  if (begun && !existsSync(join(dataDir, 'version')))
    throw new UserError(
      `${dataDir} is not a data directory of Tutti: it has no file "version"`,
      'Name the right one with --data-dir.',
    )
  if (!yes && !(await confirmed(context, `Delete the cluster in ${dataDir}, its workloads and all its state?`)))
    return 1
  const running = await lastingInstance(context)
  const last = lastInstance(dataDir)
  await withProgress(context, 'deleting', async say => {
    const instance = running ?? (await startOnceMore(context, last, say))
    if (instance) await stopInstance(context, instance, { workloads: true, timeoutMs: 30_000 })
    // The address that was told to kubectl is that of the last regular start.
    if (last) await forgetKubeconfig(context, last)
    await context.launcher.clear(dataDir)
    await removeAsRoot(dataDir)
    // Volumes of pods may still be mounted in it: what is theirs stays.
    await removeTree(dataDir)
  })
  if (!member) io.out(`The cluster in ${dataDir} is gone.\n`)
  else
    io.out(
      `This machine is no node any more. The cluster still has its object: kubectl delete node ${nodeName ?? 'NAME'}\n`,
    )
  return 0
}

export const deleteCommand = defineCommand({
  name: 'delete',
  arguments: '[kind] [names...]',
  summary: 'delete the whole cluster (asks), or objects: delete pod web, delete -f app.yaml',
  options: [
    { flags: '-y, --yes', description: 'do not ask before deleting the cluster' },
    { flags: '-f, --filename <path>', description: 'delete what this file or folder declares', repeatable: true },
    { flags: '-l, --selector <selector>', description: 'delete the objects with these labels' },
    NAMESPACE,
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run(args, options, context) {
    if (args.length === 0 && !options.filename) return deleteCluster(context, options.yes === true)
    return deleteResources(args, options, context)
  },
})
