import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { getList, pathOf, request } from '../api.ts'
import { printedName } from '../apply/apply-objects.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import type { Connection, Context } from '../context.ts'
import { UserError } from '../context.ts'
import { withProgress } from '../output/progress.ts'
import { textTable } from '../output/table.ts'
import { findResource, findTargets, type ResourceKind } from '../resources/find-kind.ts'
import { rolloutState } from '../resources/rollout-state.ts'

interface Target {
  readonly kind: ResourceKind
  readonly name: string
  readonly path: string
  readonly namespace: string
}

const REVISION = 'deployment.kubernetes.io/revision'

const read = ({ transport }: Connection, { path }: Target) => request<Deployment>(transport, { method: 'GET', path })
const merge = ({ transport }: Connection, { path }: Target, body: unknown) =>
  request(transport, { method: 'PATCH', path, contentType: 'application/merge-patch+json', body })

/** The replica sets that a deployment owns, oldest revision first. */
async function revisionsOf(connection: Connection, target: Target): Promise<{ revision: number; set: ReplicaSet }[]> {
  const deployment = await read(connection, target)
  const kind = await findResource(connection.transport, 'replicasets')
  const sets = await getList<ReplicaSet>(connection.transport, pathOf(kind, target.namespace))
  return sets
    .filter(set => set.metadata?.ownerReferences?.some(owner => owner.uid === deployment.metadata?.uid))
    .map(set => ({ revision: Number(set.metadata?.annotations?.[REVISION] ?? 0), set }))
    .sort((a, b) => a.revision - b.revision)
}

async function waitForRollout(context: Context, connection: Connection, target: Target): Promise<number> {
  let code = 0
  await withProgress(context, `waiting for ${target.name}`, async say => {
    for await (const deployment of follow(connection, target, context.signal)) {
      const state = rolloutState(deployment)
      say(state.message)
      if (state.done || state.failed) {
        code = state.failed ? 1 : 0
        context.io.out(`${state.message}\n`)
        return
      }
    }
  })
  return code
}

/** The deployment as it is, then every change of it. */
async function* follow(connection: Connection, target: Target, signal: AbortSignal): AsyncGenerator<Deployment> {
  let deployment = await read(connection, target)
  yield deployment
  while (!signal.aborted) {
    const response = await connection.transport({
      method: 'GET',
      path: pathOf(target.kind, target.namespace),
      query: {
        watch: 'true',
        fieldSelector: `metadata.name=${target.name}`,
        resourceVersion: deployment.metadata?.resourceVersion ?? '',
      },
      signal,
    })
    for await (const batch of response.events ?? []) {
      for (const { type, object } of batch) {
        if (type === 'DELETED') throw new UserError(`${target.name} was deleted`)
        if (type === 'ADDED' || type === 'MODIFIED') yield (deployment = object as Deployment)
      }
    }
    deployment = await read(connection, target)
    yield deployment
  }
}

const actions: Record<
  string,
  (context: Context, connection: Connection, target: Target, revision: number) => Promise<number>
> = {
  status: waitForRollout,
  async history({ io }, connection, target) {
    const rows = (await revisionsOf(connection, target)).map(({ revision, set }) => [
      revision,
      set.metadata?.annotations?.['kubernetes.io/change-cause'],
    ])
    io.out(`${printedName(target.kind, target.name)}\n${textTable(['Revision', 'Change-Cause'], rows)}\n`)
    return 0
  },
  async restart({ io, clock }, connection, target) {
    await merge(connection, target, {
      spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': rfc3339(clock.now()) } } } },
    })
    io.out(`${printedName(target.kind, target.name)} restarted\n`)
    return 0
  },
  async pause({ io }, connection, target) {
    await merge(connection, target, { spec: { paused: true } })
    io.out(`${printedName(target.kind, target.name)} paused\n`)
    return 0
  },
  async resume({ io }, connection, target) {
    await merge(connection, target, { spec: { paused: null } })
    io.out(`${printedName(target.kind, target.name)} resumed\n`)
    return 0
  },
  async undo({ io }, connection, target, revision) {
    const all = await revisionsOf(connection, target)
    const chosen = revision ? all.find(each => each.revision === revision) : all.at(-2)
    if (!chosen)
      throw new UserError(
        revision ? `${target.name} has no revision ${revision}` : `${target.name} has no earlier revision`,
        `What there is: tutti rollout history ${target.name}`,
      )
    const template = structuredClone(chosen.set.spec?.template) as { metadata?: { labels?: Record<string, string> } }
    delete template.metadata?.labels?.['pod-template-hash']
    await request(connection.transport, {
      method: 'PATCH',
      path: target.path,
      contentType: 'application/json-patch+json',
      body: [{ op: 'replace', path: '/spec/template', value: template }],
    })
    io.out(`${printedName(target.kind, target.name)} rolled back to revision ${chosen.revision}\n`)
    return 0
  },
}

export const rollout = defineCommand({
  name: 'rollout',
  arguments: '<action> <target> [name]',
  summary: 'follow and steer a new version: status, history, undo, restart, pause, resume',
  options: [
    { flags: '--to-revision <n>', description: 'the revision that undo goes back to (default: the one before)' },
    NAMESPACE,
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([action = '', ...rest], options, context) {
    const act = actions[action]
    if (!act) throw new UserError(`rollout has no action "${action}"`, `There are: ${Object.keys(actions).join(', ')}`)
    const connection = await context.connect()
    const namespace = namespaceOf(options, connection.namespace)
    // A name alone means a deployment.
    const [found] = await findTargets(
      connection.transport,
      rest.length === 1 && !rest[0]!.includes('/') ? ['deployments', ...rest] : rest,
    )
    const name = found?.names[0]
    if (!found || !name) throw new UserError('the rollout of which deployment?')
    if (found.kind.plural !== 'deployments')
      throw new UserError(`rollout ${action} of ${found.kind.plural} is not built yet`)
    return act(
      context,
      connection,
      { kind: found.kind, name, namespace, path: pathOf(found.kind, namespace, name) },
      Number(options.toRevision ?? 0),
    )
  },
})
