/**
 * Machines for tests: network namespaces on a switch, each with a data directory of its own. They share kernel, files
 * and process ids, so only what goes over the network, and what Tutti keeps, tells them apart.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { readInstance } from '../../src/cli/instance.ts'
import { kubectlPath } from '../tools.ts'
import { execute, type Result, tuttiPath } from './cluster.ts'

/** Why machines cannot be made here; undefined when they can. */
export const machinesMissing: string | undefined = (() => {
  if (process.platform !== 'linux') return `network namespaces need Linux, this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'machines of network namespaces need root'
  const { status, stderr, error } = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset'], { encoding: 'utf8' })
  return status === 0 ? undefined : `needs unshare and nftables: ${(error?.message ?? stderr).trim()}`
})()

export interface Machine {
  /** Unlike any other node's on this kernel: control groups are named after it. */
  readonly nodeName: string
  readonly address: string
  readonly dataDir: string
  /** Runs a program there. */
  run(program: string, args: readonly string[], input?: string): Promise<Result>
  /** Runs `tutti ARGS` there. */
  tutti(...args: string[]): Promise<Result>
  /** Pulls its plug out of the switch, or puts it back. */
  plug(isIn: boolean): Promise<void>
  /** The pid of its program; undefined where none runs. */
  pid(): number | undefined
}

export interface Machines {
  readonly all: readonly Machine[]
  /** Kubectl on the first machine; throws with its output when it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>
  /** Where `tutti up` is to write the kubeconfig. */
  readonly kubeconfig: string
  readonly folder: string
  /** Removes programs, workloads, namespaces and folders. */
  close(): Promise<void>
}

/** Runs a program to its end; throws with its output when it fails. */
async function must(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await execute(program, args)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr || stdout}`)
  return stdout
}

/** Makes a switch with `count` machines on it: 192.168.77.1 and on. */
export async function startMachines(count: number): Promise<Machines> {
  const id = `e2e${process.pid}`
  const folder = mkdtempSync(join(tmpdir(), 'tutti-machines-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const netns = (name: string) => `${id}-${name}`
  const inside = (name: string) => ['nsenter', `--net=/var/run/netns/${netns(name)}`] as const
  const made: string[] = []
  const make = async (name: string) => {
    await must('ip', ['netns', 'add', netns(name)])
    made.push(name)
    await must('ip', ['-n', netns(name), 'link', 'set', 'lo', 'up'])
  }

  function machine(at: number): Machine {
    const name = String.fromCharCode(97 + at)
    const dataDir = join(folder, name)
    const env = { ...process.env, HOME: folder, KUBECONFIG: kubeconfig, TUTTI_DATA_DIR: dataDir, NO_COLOR: '1' }
    const run: Machine['run'] = (program, args, input) => {
      const [nsenter, where] = inside(name)
      return execute(nsenter, [where, program, ...args], {
        env,
        timeout: 300_000,
        ...(input !== undefined && { input }),
      })
    }
    return {
      nodeName: netns(name),
      address: `192.168.77.${at + 1}`,
      dataDir,
      run,
      tutti: (...args) => run(tuttiPath, args),
      plug: async isIn => {
        await must('ip', ['-n', netns('switch'), 'link', 'set', `port-${name}`, isIn ? 'up' : 'down'])
      },
      pid: () => readInstance(dataDir)?.pid,
    }
  }

  await make('switch')
  await must('ip', ['-n', netns('switch'), 'link', 'add', 'bridge', 'type', 'bridge'])
  await must('ip', ['-n', netns('switch'), 'link', 'set', 'bridge', 'up'])
  const all = Array.from({ length: count }, (_, at) => machine(at))
  for (const [at, { address }] of all.entries()) {
    const name = String.fromCharCode(97 + at)
    await make(name)
    const ip = (...args: string[]) => must('ip', args)
    await ip(
      '-n',
      netns(name),
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'name',
      `port-${name}`,
      'netns',
      netns('switch'),
    )
    await ip('-n', netns(name), 'addr', 'add', `${address}/24`, 'dev', 'eth0')
    await ip('-n', netns(name), 'link', 'set', 'eth0', 'up')
    await ip('-n', netns('switch'), 'link', 'set', `port-${name}`, 'master', 'bridge', 'up')
  }

  return {
    all,
    kubeconfig,
    folder,
    async kubectl(args, input) {
      const { code, stdout, stderr } = await all[0]!.run(kubectlPath(), args, input)
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr || stdout}`)
      return stdout
    },
    async close() {
      // Nodes first: they need the server to stop in order.
      for (const each of all) await each.plug(true)
      const problems: string[] = []
      for (const each of all.toReversed()) {
        const { code, stderr } = await each.tutti('delete', '--yes')
        if (code !== 0) problems.push(`${each.nodeName}: ${stderr}`)
      }
      for (const name of made.toReversed()) await execute('ip', ['netns', 'delete', netns(name)])
      rmSync(folder, { recursive: true, force: true })
      if (problems.length) throw new Error(problems.join('\n'))
    },
  }
}

export interface Customers {
  /**
   * Ends them; resolves with how many requests were answered, and the messages of those that never were. `late` and
   * `broken` count tries that had to be made again.
   */
  stop(): Promise<{ answered: number; lost: readonly string[]; late: number; broken: number }>
}

/** Customers on a machine who ask an address over and over, each request until it is answered. */
export function startCustomers(netnsOf: Machine, url: string): Customers {
  const program = join(import.meta.dirname, 'fixtures/customers.mjs')
  const child = spawn('nsenter', [`--net=/var/run/netns/${netnsOf.nodeName}`, process.execPath, program, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const told = new Promise<string>(resolve => createInterface(child.stdout).once('line', resolve))
  return {
    async stop() {
      child.stdin.end()
      return JSON.parse(await told)
    },
  }
}
