/** Deletes objects by name, by label or as files declare them, and waits until they are gone. */
import { sleep } from '../../lib/clock.ts'
import { getList, pathOf, request } from '../api.ts'
import { namespaceOf, type Options } from '../command.ts'
import type { Context } from '../context.ts'
import { UserError } from '../context.ts'
import { withProgress } from '../output/progress.ts'
import { findTargets, type ResourceKind, resourceOfObject } from '../resources/find-kind.ts'
import { printedName } from './apply-objects.ts'
import { readManifests } from './manifests.ts'

interface Target {
  readonly kind: ResourceKind
  readonly namespace: string | undefined
  readonly name: string
}

async function targetsOf(
  args: readonly string[],
  options: Options,
  context: Context,
  transport: Parameters<typeof request>[0],
  fallback: string,
): Promise<Target[]> {
  const namespace = namespaceOf(options, fallback)
  const files = options.filename as string[] | undefined
  if (files) {
    const manifests = await readManifests(files, context.io.stdin)
    const targets = await Promise.all(
      manifests.map(async manifest => {
        const kind = await resourceOfObject(transport, manifest.apiVersion, manifest.kind)
        return {
          kind,
          namespace: kind.namespaced ? (manifest.metadata.namespace ?? namespace) : undefined,
          name: manifest.metadata.name ?? '',
        }
      }),
    )
    return targets.reverse()
  }
  const selector = options.selector as string | undefined
  const found = await findTargets(transport, args)
  const all = await Promise.all(
    found.map(async ({ kind, names }) => {
      const scope = kind.namespaced ? namespace : undefined
      if (names.length === 0 && !selector)
        throw new UserError(`which ${kind.plural}?`, 'Name them, or choose them by label with --selector.')
      const chosen = selector
        ? (await getList(transport, pathOf(kind, scope), { labelSelector: selector })).map(
            object => object.metadata?.name ?? '',
          )
        : names
      return chosen.map(name => ({ kind, namespace: scope, name }))
    }),
  )
  return all.flat()
}

/** Deletes and waits. Returns the exit code: 1 where something was not there. */
export async function deleteResources(args: readonly string[], options: Options, context: Context): Promise<number> {
  const connection = await context.connect()
  const { transport } = connection
  let code = 0
  const gone: Target[] = []
  for (const target of await targetsOf(args, options, context, transport, connection.namespace)) {
    const path = pathOf(target.kind, target.namespace, target.name)
    try {
      await request(transport, { method: 'DELETE', path, query: { propagationPolicy: 'Background' } })
      gone.push(target)
      context.io.out(`${printedName(target.kind, target.name)} deleted\n`)
    } catch (error) {
      context.io.err(`error: ${(error as Error).message}\n`)
      code = 1
    }
  }
  await withProgress(context, 'waiting until they are gone', async () => {
    for (const { kind, namespace, name } of gone) {
      // One request each, repeated with growing pauses: deletes mostly end within a moment.
      for (let pause = 20; !context.signal.aborted; pause = Math.min(pause * 2, 1000)) {
        if ((await transport({ method: 'GET', path: pathOf(kind, namespace, name) })).status === 404) break
        await sleep(context.clock, pause, context.signal)
      }
    }
  })
  return code
}
