/**
 * Who asks a node: by a certificate of the cluster's clients, or by a token that the API server is asked about
 * (TokenReview). Nobody is anonymous.
 */
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type Client, send } from '../../client/client.ts'
import { createAnswers } from '../../lib/answers.ts'
import type { Clock } from '../../lib/clock.ts'
import { certificateSubject } from '../../lib/pki/subject.ts'

export interface Caller {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
/** How long the API server's word about a token is taken, in ms, as the kubelet does. */
const TOKEN_MS = 120_000

/** The user of a certificate that TLS has verified; undefined where there is none or it is not for clients. */
export function certificateCaller(socket: TLSSocket, now: number): Caller | undefined {
  if (!socket.authorized) return undefined
  const { raw } = socket.getPeerCertificate()
  if (!raw?.length) return undefined
  const certificate = new X509Certificate(raw)
  if (certificate.keyUsage?.length && !certificate.keyUsage.includes(CLIENT_AUTH)) return undefined
  // A connection may outlive the certificate that it was begun with.
  if (now > certificate.validToDate.getTime() || now < certificate.validFromDate.getTime()) return undefined
  const { commonName, organizations } = certificateSubject(raw)
  return commonName ? { name: commonName, groups: [...organizations, 'system:authenticated'] } : undefined
}

interface TokenReview {
  readonly status?: {
    readonly authenticated?: boolean
    readonly user?: {
      readonly username?: string
      readonly uid?: string
      readonly groups?: readonly string[]
      readonly extra?: Readonly<Record<string, readonly string[]>>
    }
  }
}

/** Asks the API server whose tokens are. Rejects where it cannot be asked. */
export function tokenCallers(client: Client, clock: Pick<Clock, 'elapsed'>) {
  const known = createAnswers<Caller | null>(clock)
  return async (token: string): Promise<Caller | undefined> => {
    const before = known.get(token)
    if (before !== undefined) return before ?? undefined
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
    const path = '/apis/authentication.k8s.io/v1/tokenreviews'
    const { object } = await send(client.transport, { method: 'POST', path, body })
    const { authenticated, user } = (object as TokenReview).status ?? {}
    const caller =
      authenticated && user?.username
        ? {
            name: user.username,
            groups: user.groups ?? [],
            ...(user.uid && { uid: user.uid }),
            ...(user.extra && { extra: user.extra }),
          }
        : undefined
    known.keep(token, caller ?? null, TOKEN_MS)
    return caller
  }
}
