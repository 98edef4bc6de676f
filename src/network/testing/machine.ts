/**
 * Machines for tests: network namespaces that hang on this one by a link, each with a process that serves and asks
 * there. For tests that run in a network of their own (`own-network.ts`).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { attempt, run } from '../tools/command.ts'
import type { AskCommand, ServeCommand } from './inside.ts'

/** An answer that is expected comes, however slow the machine is; one that is not, has not come by then. */
const PATIENCE = 20_000
const IMPATIENCE = 400

export interface Question {
  readonly protocol?: 'tcp' | 'udp'
  readonly from?: number
  /** No answer is expected. */
  readonly silence?: boolean
}

export interface Machine {
  serve(port: number, say: string, more?: Partial<Pick<ServeCommand, 'protocol' | 'host'>>): Promise<void>
  /** What is answered: what the server says, an error's code, or `no answer`. */
  ask(host: string, port: number, question?: Question): Promise<string>
  /** Runs lines of `ip -batch` there. */
  ip(lines: string): Promise<void>
  close(): Promise<void>
}

/** Starts the process of a machine that is there; without a namespace it is this one. */
export function startMachine(netns?: string): Machine {
  const inside = [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'inside.ts')]
  const [command, ...args] = netns ? ['nsenter', `--net=${netns}`, ...inside] : inside
  const child: ChildProcess = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = new Map<number, (reply: { answer?: string; error?: string }) => void>()
  let last = 0
  createInterface(child.stdout!).on('line', line => {
    const reply = JSON.parse(line) as { id: number; answer?: string; error?: string }
    waiting.get(reply.id)?.(reply)
    waiting.delete(reply.id)
  })
  const send = (body: ServeCommand | AskCommand) =>
    new Promise<string>((resolve, reject) => {
      const id = ++last
      waiting.set(id, ({ answer, error }) => (error ? reject(new Error(error)) : resolve(answer ?? '')))
      child.stdin!.write(`${JSON.stringify({ ...body, id })}\n`)
    })
  return {
    async serve(port, say, more = {}) {
      await send({ op: 'serve', protocol: 'tcp', port, say, ...more })
    },
    ask: (host, port, { protocol = 'tcp', from = 0, silence = false } = {}) =>
      send({ op: 'ask', protocol, host, port, from, within: silence ? IMPATIENCE : PATIENCE }),
    async ip(lines) {
      const there = netns ? [`--net=${netns}`] : [`--net=/proc/self/ns/net`]
      await run('nsenter', [...there, 'ip', '-batch', '-'], `${lines}\n`)
    },
    async close() {
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.stdin!.end()
      await ended
      if (netns) await attempt('umount', ['-l', netns])
    },
  }
}

export interface Wire {
  /** This end of the link. */
  readonly link: string
  /** Addresses there, with their prefix or without. */
  readonly addresses: readonly string[]
  /** Lines of `ip -batch` for here and there, once both ends are up; the other end is `eth0`. */
  readonly here: string
  readonly there: string
}

/** Makes a namespace on a wire; its files are in `directory`. */
export async function makeMachine(directory: string, { link, addresses, here, there }: Wire): Promise<Machine> {
  const netns = join(directory, link)
  writeFileSync(netns, '')
  const assigned = addresses.map(address => `address add ${address} dev eth0${address.includes(':') ? ' nodad' : ''}`)
  await run(
    'unshare',
    [`--net=${netns}`, 'ip', '-batch', '-'],
    `link add eth0 type veth peer name ${link} netns ${process.pid}\nlink set lo up\n${assigned.join('\n')}\nlink set eth0 up\n`,
  )
  await run('ip', ['-batch', '-'], `link set ${link} up\n${here}\n`)
  const machine = startMachine(netns)
  await machine.ip(there)
  return machine
}
