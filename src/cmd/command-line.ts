/** Composition root of the command line: the terminal, Ctrl-C, the way to the cluster. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../cli/context.ts'
import { UserError } from '../cli/context.ts'
import { readInstance } from '../cli/instance.ts'
import { ownKubeconfig, userKubeconfig } from '../cli/kubeconfig.ts'
import { runProgram } from '../cli/program.ts'
import { realClock } from '../lib/clock.ts'
import { silent } from '../lib/log.ts'
import { launcher } from './launch.ts'
import { programVersion } from './version.ts'

const decode = (text: unknown) => (typeof text === 'string' ? Buffer.from(text, 'base64').toString() : undefined)
const inline = (part: Record<string, unknown>, name: string) =>
  decode(part[`${name}-data`]) ?? (typeof part[name] === 'string' ? readFileSync(part[name], 'utf8') : undefined)

/** Opens the connection that a kubeconfig's current context describes. */
async function connectTo(path: string): Promise<Connection> {
  const [{ readKubeconfig }, { createHttpsTransport }] = await Promise.all([
    import('../lib/kubeconfig.ts'),
    import('../client/https-transport.ts'),
  ])
  const config = await readKubeconfig(path)
  if (!config) throw new UserError(`there is no kubeconfig at ${path}`)
  const context = config.contexts?.find(each => each.name === config['current-context'])?.context as
    | Record<string, string>
    | undefined
  const cluster = config.clusters?.find(each => each.name === context?.cluster)?.cluster as
    | Record<string, unknown>
    | undefined
  const user = config.users?.find(each => each.name === context?.user)?.user as Record<string, unknown> | undefined
  if (!context || !cluster || !user) throw new UserError(`${path} has no usable current context`)
  const server = String(cluster.server)
  const ca = inline(cluster, 'certificate-authority')
  const cert = inline(user, 'client-certificate')
  const key = inline(user, 'client-key')
  const token = typeof user.token === 'string' ? user.token : undefined
  const tls = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }
  const { transport, close } = createHttpsTransport({
    server,
    ...tls,
    ...(token ? { token } : {}),
    clock: realClock,
    logger: silent,
  })
  return { transport, server, tls, ...(token ? { token } : {}), namespace: context.namespace ?? 'default', close }
}

/** `--kubeconfig`, else the running instance of the data directory. */
async function connect({ dataDir, kubeconfig }: { dataDir: string; kubeconfig?: string }): Promise<Connection> {
  if (kubeconfig) return connectTo(kubeconfig)
  if (!readInstance(dataDir)) {
    const isDefault = dataDir === join(homedir(), '.tutti')
    throw new UserError(
      `Tutti is not running${isDefault ? '' : ` in ${dataDir}`}`,
      `Start it: tutti up. Or name another cluster: --kubeconfig ${userKubeconfig({ env: process.env })}`,
    )
  }
  return connectTo(ownKubeconfig(dataDir))
}

/** Runs `tutti ARGV`; resolves with the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  process.once('SIGTERM', () => controller.abort())
  // A reader that went away (`tutti logs | head`) ends the program quietly.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? process.exit(0) : undefined))
  const tty = process.stdout.isTTY === true
  return runProgram(argv, {
    io: {
      out: text => void process.stdout.write(text),
      err: text => void process.stderr.write(text),
      stdin: process.stdin,
      tty: process.stderr.isTTY === true,
      color: tty && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
      columns: process.stdout.columns ?? 80,
      env: process.env,
    },
    clock: { ...realClock, after: keepAlive },
    version: programVersion(),
    launcher,
    signal: controller.signal,
    connect,
  })
}

/** Timers of commands keep the process alive: a person waits for them. */
const keepAlive: typeof realClock.after = (ms, fn) => {
  const handle = setTimeout(fn, ms)
  return { cancel: () => clearTimeout(handle) }
}
