import { sleep } from '../../lib/clock.ts'
import { applyObjects } from '../apply/apply-objects.ts'
import type { Manifest } from '../apply/manifests.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import { type Connection, type Context, UserError } from '../context.ts'
import { withProgress } from '../output/progress.ts'
import { waitUntilReady } from '../resources/wait-ready.ts'
import { diagnose } from '../why/diagnose.ts'
import { gatherFacts } from '../why/facts.ts'

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

/** Rejects with the cause when a pod of the deployment ends again and again, or cannot be started at all. */
async function untilBroken(
  { transport }: Connection,
  { clock }: Context,
  { name, namespace, signal }: { name: string; namespace: string; signal: AbortSignal },
): Promise<never> {
  for (;;) {
    await sleep(clock, 500, signal)
    const facts = await gatherFacts(transport, namespace, [`deploy/${name}`])
    // Of the newest version only: an older one that was broken is being replaced.
    const newest = facts.pods.toSorted((a, b) =>
      String(b.metadata?.creationTimestamp).localeCompare(String(a.metadata?.creationTimestamp)),
    )[0]
    const status = newest?.status?.containerStatuses?.[0]
    const reason = status?.state?.waiting?.reason
    // The first end may be another's fault, e.g. of a late database; after the second one there is a wait.
    const again = reason === 'CrashLoopBackOff' && (status?.restartCount ?? 0) > 0
    if (!newest || !(again || reason === 'CreateContainerConfigError')) continue
    const [finding] = diagnose({ ...facts, object: newest, pods: [newest] })
    if (finding)
      throw new UserError(
        `${name} does not start: ${finding.about}: ${finding.cause}`,
        [...finding.next, `tutti delete deploy ${name} -n ${namespace}`]
          .map(command => `  next: ${command}`)
          .join('\n'),
      )
  }
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
  options: [
    { flags: '--port <port>', description: 'the port that the command listens on; makes a Service of the same name' },
    { flags: '--replicas <n>', description: 'how many', default: 1 },
    { flags: '-e, --env <name=value>', description: 'environment variable', repeatable: true },
    { flags: '--workdir <folder>', description: 'working folder (default: this one)' },
    NAMESPACE,
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([name = '', ...command], options, context) {
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
        // Without a port nothing tells when it is ready: to live for a second is the sign. Times in statuses are whole
        // seconds, so one of them may pass in a moment.
        ...(port ? {} : { minReadySeconds: 2 }),
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
      onApplied: applied => {
        if (!context.json) context.io.out(`${applied.name} ${applied.outcome}\n`)
      },
    })
    const stop = new AbortController()
    const signal = AbortSignal.any([context.signal, stop.signal])
    try {
      await withProgress(context, `starting ${name}`, say =>
        Promise.race([
          waitUntilReady(connection.transport, {
            namespace,
            names: [name],
            signal,
            clock: context.clock,
            timeoutMs: 60_000,
            onChange: say,
          }),
          untilBroken(connection, context, { name, namespace, signal }),
        ]),
      )
    } finally {
      stop.abort()
    }
    if (context.json)
      context.io.out(`${JSON.stringify({ deployment: name, namespace, service: port ? name : null })}\n`)
    else context.io.out(`${name} is ready. Logs: tutti logs deploy/${name} -f\n`)
    return 0
  },
})
