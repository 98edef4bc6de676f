/** The kernel's memory of flows, by the program `conntrack` where the machine has it. */
import { attempt } from './command.ts'

export interface FlowSelection {
  /** Where the client sent to; absent: anywhere. */
  readonly address?: string
  readonly port: number
  /** Where the kernel led it; absent: anywhere. */
  readonly backend?: { readonly address: string; readonly port: number }
}

export interface Conntrack {
  /** Forgets UDP flows. Never rejects; without the program nothing happens. */
  forget(flows: readonly FlowSelection[]): Promise<void>
}

function selection({ address, port, backend }: FlowSelection, family: 'ipv4' | 'ipv6'): string[] {
  return [
    ...['-D', '-f', family, '-p', 'udp'],
    ...(address ? ['--orig-dst', address] : []),
    ...['--orig-port-dst', String(port)],
    ...(backend ? ['--reply-src', backend.address, '--reply-port-src', String(backend.port)] : []),
  ]
}

/** Whether the program is there and may be used. */
export async function hasConntrack(): Promise<boolean> {
  const { code } = await attempt('conntrack', ['-C'])
  return code === 0
}

/** Makes it for one family. */
export function createConntrack(family: 'ipv4' | 'ipv6'): Conntrack {
  return {
    async forget(flows) {
      // It says 1 where there was nothing to forget. One after the other: each reads the whole table.
      for (const flow of flows) await attempt('conntrack', selection(flow, family))
    },
  }
}
