import type { KubeObject } from '../../api/machinery/object.ts'
import { pathOf, request } from '../api.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import { UserError } from '../context.ts'
import { type ApiTable, apiTable } from '../output/table.ts'
import { findTargets } from '../resources/find-kind.ts'

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

export const get = defineCommand({
  name: 'get',
  arguments: '<kinds> [names...]',
  summary: 'show objects: get pods, get deploy,svc, get pod/web -o yaml',
  options: [
    NAMESPACE,
    { flags: '-A, --all-namespaces', description: 'of all namespaces' },
    { flags: '-l, --selector <selector>', description: 'with these labels' },
    {
      flags: '-o, --output <format>',
      description: 'wide, json, yaml or name',
      choices: ['wide', 'json', 'yaml', 'name'],
    },
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run(args, options, context) {
    const connection = await context.connect()
    const { transport } = connection
    const output = (options.output as string | undefined) ?? (context.json ? 'json' : '')
    const everywhere = options.allNamespaces === true
    const namespace = everywhere ? undefined : namespaceOf(options, connection.namespace)
    const selector = options.selector as string | undefined
    if (selector && args.length > 1) throw new UserError('give names or --selector, not both')
    const asTable = output === '' || output === 'wide'
    const answers: { path: string; object: unknown }[] = []
    for (const { kind, names } of await findTargets(transport, args)) {
      const scope = kind.namespaced ? namespace : undefined
      for (const name of names.length ? names : [undefined]) {
        const path = pathOf(kind, scope, name)
        answers.push({
          path: kind.plural,
          object: await request(transport, {
            method: 'GET',
            path,
            query: selector ? { labelSelector: selector } : {},
            ...(asTable ? { accept: TABLE } : {}),
          }),
        })
      }
    }
    if (asTable) {
      const shown = answers.map(({ object }) => object as ApiTable).filter(table => table.rows?.length)
      if (shown.length === 0) context.io.err(`No resources found${namespace ? ` in ${namespace} namespace` : ''}.\n`)
      // Rows of one kind asked for by several names stand under one heading.
      const merged: ApiTable[] = []
      for (const table of shown) {
        const last = merged.at(-1)
        if (last && JSON.stringify(last.columnDefinitions) === JSON.stringify(table.columnDefinitions))
          (last.rows as unknown[]).push(...(table.rows ?? []))
        else merged.push({ columnDefinitions: table.columnDefinitions, rows: [...(table.rows ?? [])] })
      }
      context.io.out(
        merged.map(table => `${apiTable(table, { wide: output === 'wide', namespaces: everywhere })}\n`).join('\n'),
      )
      return 0
    }
    const objects = answers.flatMap(
      ({ object }) => ((object as { items?: KubeObject[] }).items ?? [object]) as KubeObject[],
    )
    // Who manages which field is of no use to a reader, as kubectl has it, too.
    for (const { metadata } of objects) delete (metadata as { managedFields?: unknown } | undefined)?.managedFields
    const whole = answers.length === 1 ? answers[0]!.object : { apiVersion: 'v1', kind: 'List', items: objects }
    if (output === 'name')
      context.io.out(objects.map(object => `${object.kind?.toLowerCase()}/${object.metadata?.name}\n`).join(''))
    else if (output === 'json') context.io.out(`${JSON.stringify(whole, null, 2)}\n`)
    else context.io.out((await import('yaml')).stringify(whole))
    return 0
  },
})
