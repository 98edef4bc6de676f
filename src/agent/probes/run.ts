/** Runs one probe or hook of a container, whatever its sort. */
import type { Container, LifecycleHandler, Probe } from '../../api/generated/types/core-v1.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { type ProbeResult, type RuntimeDriver, RuntimeError } from '../runtimes/runtime.ts'
import { grpcProbe } from './grpc.ts'
import { httpProbe } from './http.ts'
import { tcpProbe } from './tcp.ts'

const OUTPUT_LIMIT = 10 * 1024

/** Where a container is reached. */
export interface ProbeTarget {
  readonly driver: RuntimeDriver
  readonly clock: Clock
  readonly containerId: string
  readonly container: Container
  readonly host: string
  /** Portable mode: real ports of declared ones. */
  readonly ports: Readonly<Record<number, number>>
}

/** A port by number or by its name among the container's; undefined when there is none of that name. */
function portOf(port: string | number, { container, ports }: ProbeTarget): number | undefined {
  const declared = typeof port === 'number' ? port : container.ports?.find(each => each.name === port)?.containerPort
  const number = declared ?? (Number(port) || undefined)
  return number === undefined ? undefined : (ports[number] ?? number)
}

const noPort = (port: string | number): ProbeResult => ({
  ok: false,
  output: `couldn't find port: ${JSON.stringify(port)} in the container's ports`,
})

/** Runs a command in the container; its output counts where it failed. */
export async function execProbe(
  target: ProbeTarget,
  command: readonly string[],
  timeoutMs: number,
): Promise<ProbeResult> {
  const { driver, containerId } = target
  const late: ProbeResult = {
    ok: false,
    output: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutMs / 1000}s`,
  }
  if (driver.execSync) return execOnce(() => driver.execSync!(containerId, command, timeoutMs), late)
  const abort = new AbortController()
  let timedOut = false
  const timer = target.clock.after(timeoutMs, () => {
    timedOut = true
    abort.abort()
  })
  const chunks: Uint8Array[] = []
  let size = 0
  const take = async (chunk: Uint8Array) => {
    if (size < OUTPUT_LIMIT) chunks.push(chunk)
    size += chunk.length
  }
  try {
    const streams = { signal: abort.signal, stdout: take, stderr: take }
    const { exitCode } = await target.driver.exec(target.containerId, command, false, streams)
    if (timedOut) return late
    return { ok: exitCode === 0, output: Buffer.concat(chunks).subarray(0, OUTPUT_LIMIT).toString() }
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) }
  } finally {
    timer.cancel()
  }
}

/** `late` is the result where it took too long. */
async function execOnce(
  run: () => Promise<{ readonly exitCode: number; readonly output: string }>,
  late: ProbeResult,
): Promise<ProbeResult> {
  try {
    const { exitCode, output } = await run()
    return { ok: exitCode === 0, output: output.slice(0, OUTPUT_LIMIT) }
  } catch (error) {
    if (error instanceof RuntimeError && error.reason === 'DeadlineExceeded') return late
    return { ok: false, output: error instanceof Error ? error.message : String(error) }
  }
}

/** One attempt of a probe. Never rejects. */
export async function runProbe(target: ProbeTarget, probe: Probe): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  if (probe.exec) return execProbe(target, probe.exec.command ?? [], timeoutMs)
  if (target.driver.probe) return target.driver.probe(target.containerId, probe, timeoutMs)
  if (probe.grpc) {
    const port = portOf(probe.grpc.port, target)
    return port === undefined
      ? noPort(probe.grpc.port)
      : grpcProbe(target.host, port, probe.grpc.service ?? '', timeoutMs)
  }
  const action = probe.httpGet ?? probe.tcpSocket
  if (!action) return { ok: false, output: 'missing probe handler' }
  const port = portOf(action.port, target)
  if (port === undefined) return noPort(action.port)
  return probe.httpGet
    ? httpProbe(probe.httpGet, target.host, port, timeoutMs)
    : tcpProbe(action.host || target.host, port, timeoutMs)
}

/** A postStart or preStop hook; undefined when it went well, else what went wrong. `timeoutMs` bounds it. */
export async function runHook(
  target: ProbeTarget,
  hook: LifecycleHandler,
  timeoutMs: number,
): Promise<string | undefined> {
  if (hook.sleep) {
    await sleep(target.clock, Math.min(hook.sleep.seconds * 1000, timeoutMs))
    return undefined
  }
  if (hook.exec) {
    const { ok, output } = await execProbe(target, hook.exec.command ?? [], timeoutMs)
    return ok ? undefined : output || 'command exited with an error'
  }
  const action = hook.httpGet ?? hook.tcpSocket
  if (!action) return 'invalid handler'
  if (hook.httpGet && target.driver.probe) return undefined
  const port = portOf(action.port, target)
  if (port === undefined) return noPort(action.port).output
  const { ok, output } = hook.httpGet
    ? await httpProbe(hook.httpGet, target.host, port, timeoutMs)
    : await tcpProbe(action.host || target.host, port, timeoutMs)
  return ok ? undefined : output
}
