import { applyObjects } from '../apply/apply-objects.ts'
import type { Manifest } from '../apply/manifests.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import { UserError } from '../context.ts'
import { withProgress } from '../output/progress.ts'
import { waitUntilReady } from '../resources/wait-ready.ts'

/** A number option, or an error that names it. */
function numberOf(name: string, value: unknown, { min, max }: { min: number; max: number }): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < min || number > max)
    throw new UserError(`--${name} ${String(value)} must be a whole number from ${min} to ${max}`)
  return number
}

function environment(pairs: readonly string[]): { name: string; value: string }[] {
  return pairs.map(pair => {
    const at = pair.indexOf('=')
    if (at < 1) throw new UserError(`--env ${pair} must be NAME=VALUE`)
    return { name: pair.slice(0, at), value: pair.slice(at + 1) }
  })
}

export const run = defineCommand({
  name: 'run',
  arguments: '<name> [command...]',
  summary: 'keep a command running as a service: run web --port 8080 -- node server.js',
  help: `Makes a Deployment, and with --port a Service, of plain processes on this machine's own files.

  tutti run web --port 8080 --replicas 3 -- node server.js
  tutti scale deploy/web --replicas 5
  tutti logs deploy/web -f
  tutti delete deploy,svc web`,
  passThrough: true,
  options: [
    { flags: '--port <port>', description: 'the port that the command listens on; makes a Service of the same name' },
    { flags: '--replicas <n>', description: 'how many', default: 1 },
    { flags: '-e, --env <name=value>', description: 'environment variable', repeatable: true },
    { flags: '--workdir <folder>', description: 'working folder (default: this one)' },
    NAMESPACE,
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([name = '', ...rest], options, context) {
    const command = rest[0] === '--' ? rest.slice(1) : rest
    if (command.length === 0) throw new UserError('which command?', `For example: tutti run ${name} -- node server.js`)
    const replicas = numberOf('replicas', options.replicas, { min: 0, max: 10_000 })
    const port = options.port === undefined ? undefined : numberOf('port', options.port, { min: 1, max: 65535 })
    const labels = { app: name }
    const connection = await context.connect()
    const namespace = namespaceOf(options, connection.namespace)
    const deployment: Manifest = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            runtimeClassName: 'process',
            containers: [
              {
                name,
                image: 'host',
                command,
                workingDir: (options.workdir as string | undefined) ?? process.cwd(),
                env: environment((options.env as string[] | undefined) ?? []),
                ...(port
                  ? { ports: [{ containerPort: port }], readinessProbe: { tcpSocket: { port }, periodSeconds: 1 } }
                  : {}),
              },
            ],
          },
        },
      },
    } as Manifest
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels },
      spec: { selector: labels, ports: [{ port, targetPort: port }] },
    } as Manifest
    await applyObjects(connection.transport, port ? [service, deployment] : [deployment], {
      namespace,
      onApplied: applied => context.io.out(`${applied.name} ${applied.outcome}\n`),
    })
    await withProgress(context, `starting ${name}`, say =>
      waitUntilReady(connection.transport, {
        namespace,
        names: [name],
        signal: context.signal,
        clock: context.clock,
        timeoutMs: 60_000,
        onChange: say,
      }),
    )
    context.io.out(`${name} is ready. Logs: tutti logs deploy/${name} -f\n`)
    return 0
  },
})
