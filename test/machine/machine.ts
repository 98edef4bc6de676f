/**
 * A machine of its own to try what this one may not have: systemd, cgroup v2, NFS, quotas, AppArmor, and an end.
 * It sees the repository at /repository and runs scripts of the shell as root. No network leads out of it.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findHypervisor } from './hypervisor.ts'

export interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Machine {
  /** Runs a script of bash; one at a time. Rejects when it takes longer, or the machine ends meanwhile. */
  run(script: string, timeoutMs?: number): Promise<Result>
  /** The same; throws with what it said when it fails. Resolves with its output. */
  must(script: string, timeoutMs?: number): Promise<string>
  /** `systemctl reboot`; resolves when it takes commands again. */
  reboot(): Promise<void>
  /** `systemctl poweroff`; resolves when it is off. */
  powerOff(): Promise<void>
  /** On again after that, with what is on its disk. */
  start(): Promise<void>
  /** Ends it as a power cut does, and takes away what it wrote. */
  close(): Promise<void>
  /** A folder of this machine that it sees at /shared. */
  readonly shared: string
}

/** Programs, where it sees them. */
export const TUTTI = '/repository/bin/tutti'
export const KUBECTL = '/repository/node_modules/.cache/tools/kubectl'
/** What a machine of one slow core takes for everything to be there again, s. */
export const SETTLE_S = 240
/** A folder of this machine with the programs of another containerd than Debian's, to be tried too. */
export const OTHER_CONTAINERD = process.env.TUTTI_MACHINE_CONTAINERD

/** Why there can be none here; undefined where there can. */
export const machineMissing: string | undefined = (() => {
  const found = findHypervisor()
  return 'missing' in found ? `no machine can be made: ${found.missing}` : undefined
})()

const BOOT_MS = 300_000
const RUN_MS = 300_000
const MEMORY_MB = 3072

interface Running {
  /** The next line that it says on the channel; rejects when it ends before or time is over. */
  line(timeoutMs: number): Promise<string>
  send(line: string): void
  readonly exited: Promise<void>
  kill(): void
}

/** Starts the program; its console goes to `log`. */
function launch(command: readonly string[], log: string): Running {
  const [program, ...args] = command
  const child = spawn('nice', ['-n', '5', program!, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const console = (chunk: Buffer) => writeFileSync(log, chunk, { flag: 'a' })
  child.stdout!.on('data', console)
  child.stderr!.on('data', console)
  const channel = child.stdio[3] as Socket
  const lines: string[] = []
  const waiting: ((line: string | Error) => void)[] = []
  createInterface({ input: channel }).on('line', line => {
    const next = waiting.shift()
    if (next) next(line)
    else lines.push(line)
  })
  channel.on('error', () => {})
  let over = false
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  void exited.then(() => {
    over = true
    for (const next of waiting.splice(0)) next(new Error(`the machine has ended: ${log}`))
  })
  return {
    line: timeoutMs =>
      new Promise((resolve, reject) => {
        const found = lines.shift()
        if (found !== undefined) return resolve(found)
        if (over) return reject(new Error(`the machine has ended: ${log}`))
        const timer = setTimeout(
          () => settle(new Error(`the machine said nothing for ${timeoutMs} ms: ${log}`)),
          timeoutMs,
        )
        function settle(line: string | Error) {
          clearTimeout(timer)
          if (typeof line === 'string') resolve(line)
          else reject(line)
        }
        waiting.push(settle)
      }),
    send: line => void channel.write(`${line}\n`),
    exited,
    kill() {
      try {
        // Processes of a user-mode Linux are processes here.
        process.kill(-child.pid!, 'SIGKILL')
      } catch {
        // Gone already.
      }
    },
  }
}

/** Makes one and starts it. Making its disk and kernel takes minutes, once. */
export async function startMachine(): Promise<Machine> {
  const hypervisor = findHypervisor()
  if ('missing' in hypervisor) throw new Error(hypervisor.missing)
  const made = await hypervisor.open()
  const shared = mkdtempSync(join(tmpdir(), 'tutti-machine-'))
  const overlay = join(shared, 'overlay')
  await hypervisor.overlay(made.disk, overlay)
  const command = hypervisor.command(made, {
    repository: join(import.meta.dirname, '../..'),
    shared,
    overlay,
    memoryMb: MEMORY_MB,
  })
  let running: Running
  let count = 0

  async function ready() {
    let line: string
    do line = await running.line(BOOT_MS)
    while (line !== 'ready')
  }
  /** Hands a script over; its files are those that are given back, by their ends. */
  function hand(script: string): (end: 'sh' | 'out' | 'err') => string {
    const name = `command-${++count}`
    const file = (end: string) => join(shared, `${name}.${end}`)
    writeFileSync(file('sh'), script)
    running.send(name)
    return file
  }
  /** Tells it to end; that its answer is heard is not sure. */
  const leave = (how: string) => void hand(`systemctl ${how}`)
  async function start() {
    running = launch(command, join(shared, 'console'))
    try {
      await ready()
    } catch (error) {
      running.kill()
      throw error
    }
  }
  async function run(script: string, timeoutMs = RUN_MS): Promise<Result> {
    const file = hand(script)
    const [, , code] = (await running.line(timeoutMs)).split(' ')
    return { code: Number(code), stdout: readFileSync(file('out'), 'utf8'), stderr: readFileSync(file('err'), 'utf8') }
  }
  await start()
  return {
    shared,
    run,
    async must(script, timeoutMs) {
      const { code, stdout, stderr } = await run(script, timeoutMs)
      if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stderr}${stdout}`)
      return stdout
    },
    async reboot() {
      leave('reboot')
      await ready()
    },
    async powerOff() {
      leave('poweroff')
      await running.exited
    },
    start,
    async close() {
      running.kill()
      await running.exited
      rmSync(shared, { recursive: true, force: true })
    },
  }
}
