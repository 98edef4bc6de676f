/**
 * The interface of a service proxy: the thing that makes a service's addresses lead to its endpoints. Two stand behind
 * it, `nftables/` and `userspace/`; `proxy.contract.ts` says what both do. Calls are made one at a time.
 */
import type { ServicePort, TransportProtocol } from './service-ports.ts'

/** `namespace/name` of a service → its ports; no ports: the service is gone or has no address. */
export type ServiceChanges = ReadonlyMap<string, readonly ServicePort[]>

export interface ServiceProxy {
  /** Makes traffic follow exactly these services, whatever stood before. Does not break connections. */
  reset(services: ServiceChanges): Promise<void>
  /** Brings some services up to date. Resolves when new connections follow it. */
  apply(changes: ServiceChanges): Promise<void>
  /**
   * Where a program of this machine reaches a port of a service, when that is not the service's own address (portable
   * mode); undefined otherwise.
   */
  localAddress(
    service: string,
    port: number,
    protocol: TransportProtocol,
  ): { readonly host: string; readonly port: number } | undefined
  /** Calls `lost` when another program changed what the proxy made; absent where none can. */
  onLoss?(lost: () => void): void
  /** Lets go of the program's own resources. Rules in the kernel stay: traffic goes on. */
  close(): Promise<void>
}
