/**
 * Docker Swarm beside the others: a dockerd of its own, with its own data, in a network and mount namespace of its own,
 * asked over its socket. Its pods (tasks) run the same image.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { sleep } from './measure.ts'

const run = promisify(execFile)

export interface SwarmFigures {
  /** ms from the request until so many tasks run. */
  readonly twenty: number
  readonly sixty: number
  /** ms from the end of a task's process until as many run again. */
  readonly kill: number
}

/** Asks dockerd's API (Docker Engine API 1.41). */
const ask = <T>(socketPath: string, method: string, path: string, body?: unknown) =>
  new Promise<T>((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const asked = request({ socketPath, method, path: `/v1.41${path}`, headers }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', chunk => (text += chunk))
      answer.on('end', () => {
        if (answer.statusCode! >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`))
        else resolve(text ? JSON.parse(text) : undefined)
      })
    })
    asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
  })

interface Task {
  readonly Status: { readonly State: string; readonly ContainerStatus?: { readonly PID: number } }
  readonly DesiredState: string
}

/** Runs `dockerd` on a root file system as a tar, with its programs in PATH or beside it; rejects where it does not start. */
export async function swarmFigures(dockerd: string, rootfs: string): Promise<SwarmFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-bench-'))
  const socket = join(folder, 'docker.sock')
  const log = join(folder, 'log')
  const daemon = startDockerd(dockerd, folder, socket, log)
  try {
    for (let tries = 0; !existsSync(socket); tries++) {
      if (tries > 300) throw new Error(`dockerd does not start: ${readFileSync(log, 'utf8').slice(-1000)}`)
      await sleep(50)
    }
    const call = <T>(method: string, path: string, body?: unknown) => ask<T>(socket, method, path, body)
    await call('POST', '/swarm/init', { ListenAddr: '127.0.0.1:2377', AdvertiseAddr: '127.0.0.1' })
    await run('curl', [
      '-sf',
      '--unix-socket',
      socket,
      '-X',
      'POST',
      '-T',
      rootfs,
      'http://d/images/create?fromSrc=-&repo=load',
    ])
    return await measureSwarm(call)
  } finally {
    daemon.kill('SIGTERM')
    await new Promise(resolve => daemon.once('exit', resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Neither its rules nor its bridge are this machine's. */
function startDockerd(dockerd: string, folder: string, socket: string, log: string): ChildProcess {
  const output = openSync(log, 'a')
  const words = [
    '--data-root',
    join(folder, 'data'),
    '--exec-root',
    join(folder, 'run'),
    '--pidfile',
    join(folder, 'pid'),
  ]
  const line = 'ip link set lo up && exec "$0" "$@"'
  const beside = [dirname(dockerd), join(dirname(dockerd), '../bin')]
  const env = { ...process.env, PATH: [process.env.PATH, ...beside].join(':') }
  return spawn(
    'unshare',
    ['--net', '--mount', 'sh', '-c', line, dockerd, ...words, '--host', `unix://${socket}`, '--log-level', 'error'],
    { env, stdio: ['ignore', output, output] },
  )
}

async function measureSwarm(call: <T>(method: string, path: string, body?: unknown) => Promise<T>) {
  const running = async () =>
    (await call<Task[]>('GET', '/tasks')).filter(
      ({ Status, DesiredState }) => Status.State === 'running' && DesiredState === 'running',
    )
  /** It has no watch that says when tasks run: it is asked often. */
  const until = async (n: number) => {
    for (let tries = 0; (await running()).length !== n; tries++) {
      if (tries > 2000) throw new Error(`there are never ${n} tasks`)
      await sleep(30)
    }
    return performance.now()
  }
  const service = (Replicas: number) => ({
    Name: 'load',
    TaskTemplate: { ContainerSpec: { Image: 'load:latest', Command: ['sleep', '36000'], StopGracePeriod: 1e9 } },
    Mode: { Replicated: { Replicas } },
  })
  let began = performance.now()
  await call('POST', '/services/create', service(20))
  const twenty = (await until(20)) - began
  await sleep(2000)
  const { Version } = await call<{ Version: { Index: number } }>('GET', '/services/load')
  began = performance.now()
  await call('POST', `/services/load/update?version=${Version.Index}`, service(60))
  const sixty = (await until(60)) - began
  await sleep(2000)
  const [task] = await running()
  began = performance.now()
  process.kill(task!.Status.ContainerStatus!.PID, 'SIGKILL')
  await until(59)
  const kill = (await until(60)) - began
  await call('DELETE', '/services/load')
  for (let tries = 0; tries < 300 && (await call<unknown[]>('GET', '/containers/json')).length > 0; tries++)
    await sleep(100)
  return { twenty, sixty, kill }
}
