/** Who is measured: a Tutti made for the run, and a real Kubernetes control plane where its binaries are at hand. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sleep } from './measure.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const bundle = join(root, 'dist/tutti.js')

/** The program as it is released, where it was built (`npm run build`); else from its sources. */
export const program: readonly [string, ...string[]] =
  existsSync(bundle) && !process.env.TUTTI_FROM_SOURCE
    ? [process.execPath, '--disable-warning=ExperimentalWarning', bundle]
    : [join(root, 'bin/tutti')]
/** How `program` is named in tables. */
export const programName = program.length > 1 ? 'Tutti' : 'Tutti (from source)'

/** Runs `tutti ARGS`. */
export const tutti = (args: readonly string[]) => run(program[0], [...program.slice(1), ...args])

export interface Target {
  readonly name: string
  readonly kubeconfig: string
  /** Milliseconds from the command to an answering API (Tutti: and a Ready node). */
  readonly startMs: number
  /** Every process of it. */
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/** Further arguments of every `tutti up`, e.g. `--network portable`, which leaves the machine's network alone. */
const upArguments = (process.env.TUTTI_UP ?? '').split(' ').filter(Boolean)

/** Runs `tutti up` on a data directory. Resolves when it is up, with the program's pid and how long it took in ms. */
export async function tuttiUp(
  { dataDir, kubeconfig }: { readonly dataDir: string; readonly kubeconfig: string },
  [command, ...before]: readonly [string, ...string[]] = program,
  further: readonly string[] = upArguments,
): Promise<{ readonly pid: number; readonly startMs: number }> {
  const files = ['--data-dir', dataDir, '--kubeconfig', kubeconfig]
  const began = performance.now()
  const { stdout } = await run(command, [...before, 'up', '--json', '--port', '0', ...files, ...further])
  const startMs = performance.now() - began
  return { pid: JSON.parse(stdout.trim().split('\n').at(-1)!).pid, startMs }
}

/** Starts Tutti in a folder of its own, by TUTTI_UP or `further` arguments. */
export async function startTutti(further?: readonly string[]): Promise<Target & { readonly dataDir: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-'))
  const dataDir = join(folder, 'data')
  const kubeconfig = join(folder, 'kubeconfig')
  const { pid, startMs } = await tuttiUp({ dataDir, kubeconfig }, program, further)
  return {
    name: programName,
    kubeconfig,
    startMs,
    dataDir,
    pids: [pid],
    async stop() {
      await tutti(['delete', '--yes', '--data-dir', dataDir])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The folder with etcd, kube-apiserver, kube-controller-manager and kube-scheduler; undefined: no peer in this run. */
export const peerFolder = () =>
  process.env.KUBERNETES_BIN && existsSync(join(process.env.KUBERNETES_BIN, 'kube-apiserver'))
    ? process.env.KUBERNETES_BIN
    : undefined

const PORTS = { etcd: 23_790, etcdPeer: 23_800, api: 26_443, controllers: 26_257, scheduler: 26_259 }

async function answers(url: string, token: string): Promise<boolean> {
  try {
    await run('curl', ['-ksf', '-H', `Authorization: Bearer ${token}`, url])
    return true
  } catch {
    return false
  }
}

/** Starts a real Kubernetes control plane on loopback from the binaries in `folder`. */
export async function startKubernetes(bin: string, { controllers = false } = {}): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-bench-'))
  const children: ChildProcess[] = []
  const start = (name: string, args: readonly string[]) => {
    const log = openSync(join(folder, `${name}.log`), 'a')
    children.push(spawn(join(bin, name), [...args], { cwd: folder, stdio: ['ignore', log, log] }))
  }
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(join(folder, 'sa.key'), privateKey)
  const token = 'bench'
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,"system:masters"\n`)
  mkdirSync(join(folder, 'etcd'))
  const began = performance.now()
  start('etcd', [
    '--data-dir',
    'etcd',
    '--listen-client-urls',
    `http://127.0.0.1:${PORTS.etcd}`,
    '--advertise-client-urls',
    `http://127.0.0.1:${PORTS.etcd}`,
    '--listen-peer-urls',
    `http://127.0.0.1:${PORTS.etcdPeer}`,
    '--log-level',
    'error',
  ])
  start('kube-apiserver', [
    '--etcd-servers',
    `http://127.0.0.1:${PORTS.etcd}`,
    '--secure-port',
    String(PORTS.api),
    '--bind-address',
    '127.0.0.1',
    '--advertise-address',
    '127.0.0.1',
    '--cert-dir',
    'certs',
    '--service-cluster-ip-range',
    '10.97.0.0/16',
    '--service-account-issuer',
    'https://kubernetes.default.svc',
    '--service-account-key-file',
    'sa.key',
    '--service-account-signing-key-file',
    'sa.key',
    '--token-auth-file',
    'tokens.csv',
    '--authorization-mode',
    'Node,RBAC',
    '--endpoint-reconciler-type',
    'none',
  ])
  const kubeconfig = join(folder, 'kubeconfig')
  const server = `https://127.0.0.1:${PORTS.api}`
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: { token } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  const end = performance.now() + 60_000
  while (!(await answers(`${server}/readyz`, token))) {
    if (performance.now() > end)
      throw new Error(
        `kube-apiserver does not answer; its log: ${readFileSync(join(folder, 'kube-apiserver.log'), 'utf8').slice(-500)}`,
      )
    await sleep(50)
  }
  if (controllers) {
    const common = [
      '--kubeconfig',
      'kubeconfig',
      '--authentication-kubeconfig',
      'kubeconfig',
      '--authorization-kubeconfig',
      'kubeconfig',
      '--bind-address',
      '127.0.0.1',
      '--leader-elect=false',
    ]
    start('kube-controller-manager', [
      ...common,
      '--service-account-private-key-file',
      'sa.key',
      '--root-ca-file',
      'certs/apiserver.crt',
      '--use-service-account-credentials',
      '--kube-api-qps',
      '1000',
      '--kube-api-burst',
      '1000',
      '--secure-port',
      String(PORTS.controllers),
      '--cert-dir',
      'certs-kcm',
      '--node-monitor-grace-period',
      '10h',
    ])
    start('kube-scheduler', [
      ...common,
      '--kube-api-qps',
      '5000',
      '--kube-api-burst',
      '5000',
      '--secure-port',
      String(PORTS.scheduler),
      '--cert-dir',
      'certs-sched',
    ])
    while (!(await answers(`${server}/api/v1/namespaces/default/serviceaccounts/default`, token))) await sleep(50)
  }
  const startMs = performance.now() - began
  return {
    name: 'Kubernetes 1.36',
    kubeconfig,
    startMs,
    pids: children.map(child => child.pid!),
    async stop() {
      // The API server waits long for an etcd that is gone: it must go first, and at once.
      for (const child of children.reverse()) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
