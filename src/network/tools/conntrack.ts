/** The kernel's memory of flows, by the program `conntrack` where the machine has it. */
import type { Family } from '../../lib/ip-range.ts'
import { attempt } from './command.ts'

export interface FlowSelection {
  /** Where the client sent to; absent: anywhere. */
  readonly address?: string
  readonly port: number
  /** Where the kernel led it; absent: anywhere. */
  readonly backend?: { readonly address: string; readonly port: number }
}

export interface Conntrack {
  /** Every UDP flow that is remembered; none without the program. */
  flows(): Promise<Required<FlowSelection>[]>
  /** Forgets UDP flows. Never rejects; without the program nothing happens. */
  forget(flows: readonly FlowSelection[]): Promise<void>
}

function selection({ address, port, backend }: FlowSelection, family: string): string[] {
  return [
    ...['-D', '-f', family, '-p', 'udp'],
    ...(address ? ['--orig-dst', address] : []),
    ...['--orig-port-dst', String(port)],
    ...(backend ? ['--reply-src', backend.address, '--reply-port-src', String(backend.port)] : []),
  ]
}

/** Flows from what the program lists: a line each, with the way there and the way back. */
export function readFlows(text: string): Required<FlowSelection>[] {
  const one = /src=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+) dport=\d+/g
  return [...text.matchAll(one)].map(([, address, port, from, fromPort]) => ({
    address: address!,
    port: Number(port),
    backend: { address: from!, port: Number(fromPort) },
  }))
}

/** Whether the program is there and may be used. */
export async function hasConntrack(): Promise<boolean> {
  const { code } = await attempt('conntrack', ['-C'])
  return code === 0
}

/** Makes it for one family. */
export function createConntrack(of: Family): Conntrack {
  const family = of.toLowerCase()
  return {
    async flows() {
      const { stdout } = await attempt('conntrack', ['-L', '-f', family, '-p', 'udp'])
      return readFlows(stdout)
    },
    async forget(flows) {
      // It says 1 where there was nothing to forget. One after the other: each reads the whole table.
      for (const flow of flows) await attempt('conntrack', selection(flow, family))
    },
  }
}
