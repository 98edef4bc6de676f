/** One certificate request after the other: what approving and signing have in common. */
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts'
import { type Client, hasReason } from '../../client/client.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Informers } from '../../client/informers.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import type { Component } from '../../control/lifetime.ts'
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
    signal.addEventListener('abort', () => queue.close(), { once: true })
    if (signal.aborted) queue.close()
    for (;;) {
      const key = await queue.take()
      if (key === undefined) break
      try {
        const request = requests.get(key)
        if (request && !request.metadata?.deletionTimestamp) await handle(request)
        queue.forget(key)
      } catch (error) {
        const retryInMs = queue.addFailed(key)
        const isQuiet = hasReason(error, 'Conflict', 'NotFound')
        deps.logger[isQuiet ? 'debug' : 'warn']({ err: error, request: key, retryInMs }, `${name} failed`)
      }
      queue.done(key)
    }
    end()
  },
})
