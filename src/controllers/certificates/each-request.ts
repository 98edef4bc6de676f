/** One certificate request after the other: what approving and signing have in common. */
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts'
import type { Client } from '../../client/client.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Informers } from '../../client/informers.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import type { Component } from '../../control/lifetime.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'

export interface RequestDeps {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
}

/** Where a request stands. */
export const hasCondition = ({ status }: CertificateSigningRequest, ...types: string[]): boolean =>
  status?.conditions?.some(one => types.includes(one.type) && one.status === 'True') ?? false

/** The request itself, as PEM. */
export const requestText = ({ spec }: CertificateSigningRequest): string =>
  Buffer.from(spec.request, 'base64').toString('latin1')

/** Makes a component that calls `handle` with every request as it is; a call that fails is made again later. */
export const eachRequest = (
  name: string,
  deps: RequestDeps,
  handle: (request: CertificateSigningRequest) => Promise<void>,
): Component => ({
  name,
  async run(signal) {
    const queue = createWorkQueue<string>(deps.clock)
    const requests = deps.informers.of<CertificateSigningRequest>(CertificateSigningRequest)
    const end = requests.onChange(({ current }) => current && queue.add(keyOf(current)))
    async function work(key: string) {
      const request = requests.get(key)
      if (request && !request.metadata?.deletionTimestamp) await handle(request)
    }
    const { logger } = deps
    await workOff(queue, { work, what: 'request', problem: `${name} failed`, logger }, signal)
    end()
  },
})
