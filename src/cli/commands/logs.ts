import type { Pod } from '../../api/kinds/core/pod.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import { pathOf } from '../api.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import type { Connection, Context } from '../context.ts'
import { paint } from '../output/color.ts'
import { findResource } from '../resources/find-kind.ts'
import { podsOf } from '../resources/pods-of.ts'

const COLORS = ['cyan', 'green', 'yellow', 'dim'] as const

/** Prints one container's log, each line behind `prefix`. */
async function printLog(
  { io, signal }: Context,
  { transport }: Connection,
  path: string,
  query: Record<string, string>,
  prefix: string,
): Promise<void> {
  const response = await transport({ method: 'GET', path, query, signal })
  if (response.status >= 400) throw StatusError.from(response.object as Parameters<typeof StatusError.from>[0])
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.bytes ?? []) {
    if (!prefix) {
      io.out(decoder.decode(chunk, { stream: true }))
      continue
    }
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length) io.out(lines.map(line => `${prefix}${line}\n`).join(''))
  }
  if (rest) io.out(`${prefix}${rest}\n`)
}

export const logs = defineCommand({
  name: 'logs',
  arguments: '<target>',
  summary: 'print logs: of a pod, or of all pods of deploy/web, svc/web, job/migrate',
  options: [
    { flags: '-f, --follow', description: 'go on with what comes' },
    { flags: '-c, --container <name>', description: 'one container (default: all)' },
    { flags: '-p, --previous', description: 'of the run before the last restart' },
    { flags: '--since <seconds>', description: 'only the last so many seconds' },
    { flags: '--tail <lines>', description: 'only the last lines' },
    { flags: '--timestamps', description: 'with the time of each line' },
    NAMESPACE,
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([target = ''], options, context) {
    const connection = await context.connect()
    const namespace = namespaceOf(options, connection.namespace)
    const pods = await podsOf(connection.transport, namespace, target)
    const kind = await findResource(connection.transport, 'pods')
    const query: Record<string, string> = {
      ...(options.follow ? { follow: 'true' } : {}),
      ...(options.previous ? { previous: 'true' } : {}),
      ...(options.since ? { sinceSeconds: String(options.since) } : {}),
      ...(options.tail ? { tailLines: String(options.tail) } : {}),
      ...(options.timestamps ? { timestamps: 'true' } : {}),
    }
    const only = options.container as string | undefined
    const sources = pods.flatMap(pod =>
      (only ? [only] : (pod.spec?.containers ?? []).map(container => container.name)).map(container => ({
        pod,
        container,
      })),
    )
    const several = sources.length > 1
    const width = Math.max(...sources.map(({ pod, container }) => labelOf(pod, container).length))
    const print = ({ pod, container }: (typeof sources)[number], index: number) =>
      printLog(
        context,
        connection,
        pathOf(kind, namespace, pod.metadata?.name, 'log'),
        { ...query, container },
        several ? `${paint(context.io, COLORS[index % COLORS.length]!, labelOf(pod, container).padEnd(width))} ` : '',
      )
    if (options.follow) await Promise.all(sources.map(print))
    else for (const [index, source] of sources.entries()) await print(source, index)
    return 0
  },
})

const labelOf = (pod: Pod, container: string) =>
  (pod.spec?.containers?.length ?? 1) > 1 ? `${pod.metadata?.name}/${container}` : (pod.metadata?.name ?? '')
