import { pathOf, request } from '../api.ts'
import { printedName } from '../apply/apply-objects.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import { UserError } from '../context.ts'
import { findTargets } from '../resources/find-kind.ts'

export const scale = defineCommand({
  name: 'scale',
  arguments: '<targets...>',
  summary: 'set the number of replicas: scale deploy/web --replicas 5',
  options: [
    { flags: '--replicas <n>', description: 'how many' },
    NAMESPACE,
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run(args, options, context) {
    const replicas = Number(options.replicas)
    if (options.replicas === undefined || !Number.isInteger(replicas) || replicas < 0)
      throw new UserError(`--replicas ${String(options.replicas ?? '')} must be a whole number of 0 or more`)
    const connection = await context.connect()
    for (const { kind, names } of await findTargets(connection.transport, args)) {
      if (names.length === 0)
        throw new UserError(`which ${kind.plural}?`, `Name one: tutti scale ${kind.plural} NAME --replicas ${replicas}`)
      for (const name of names) {
        await request(connection.transport, {
          method: 'PATCH',
          path: pathOf(kind, kind.namespaced ? namespaceOf(options, connection.namespace) : undefined, name, 'scale'),
          contentType: 'application/merge-patch+json',
          body: { spec: { replicas } },
        })
        context.io.out(`${printedName(kind, name)} scaled\n`)
      }
    }
    return 0
  },
})
