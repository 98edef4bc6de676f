/** Every way to say who one is, in the order in which they are tried. */
import { CLUSTER_INFO_PATH } from '../../api/kinds/core/cluster-info.ts'
import { equalJson } from '../../api/machinery/merge-patch.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Follow } from '../configuration/follow.ts'
import type { KindReader } from '../registry/registry.ts'
import type { Authenticator, TokenAuthenticator } from './authenticator.ts'
import { anyOf, bearerTokens, forAudiences, webSocketTokens } from './bearer.ts'
import { bootstrapTokens } from './bootstrap-tokens.ts'
import { clientCertificates } from './certificates.ts'
import type { AuthenticationConfiguration } from './configuration.ts'
import { type FrontProxyOptions, fingerprints, frontProxy } from './front-proxy.ts'
import { legacyTokens } from './service-accounts/legacy-tokens.ts'
import type { TokenSigner } from './service-accounts/token-signer.ts'
import { ISSUER, type ServiceAccountTokens } from './service-accounts/tokens.ts'
import { staticTokens } from './static-tokens.ts'

/** What an operator may configure. All of it is optional. */
export interface AuthenticationOptions {
  /** Issuers of tokens, and who may be anonymous. */
  readonly configuration?: AuthenticationConfiguration
  /** Later forms of `configuration`; who may be anonymous must stay the same. */
  readonly follow?: Follow<AuthenticationConfiguration>
  /** Text of a static token file. */
  readonly tokens?: string
  /** A server that knows further tokens. */
  readonly webhook?: {
    /** Path of the kubeconfig that names it. */
    readonly kubeconfig: string
    /** How long its answers are kept. Default two minutes. */
    readonly cacheMs?: number
  }
  /** A proxy in front that names its users in headers. */
  readonly frontProxy?: FrontProxyOptions
  /** PEM of the authorities of clients, where TLS trusts the front proxy's too. */
  readonly clientAuthority?: string
}

export interface AuthenticationDeps extends AuthenticationOptions {
  readonly clock: Clock
  readonly signer: TokenSigner
  readonly accountTokens: ServiceAccountTokens
  readonly accounts: KindReader
  readonly secrets: KindReader
  /** Notes on a secret the day on which its token was used. */
  noteUse(secret: KubeObject, day: string): void
}

export interface Authentication {
  readonly authenticators: readonly Authenticator[]
  /** Knows every token that the server takes. */
  readonly authenticate: TokenAuthenticator
  /** Whether a request without credentials may be anonymous, by its path. */
  anonymous(path: string): boolean
  close(): void
}

/** What anyone may ask for without saying who they are, where RBAC allows it too. */
const PUBLIC_PATHS: readonly string[] = [
  '/healthz',
  '/livez',
  '/readyz',
  '/version',
  '/version/',
  // Where the cluster is: read by machines that are about to join.
  CLUSTER_INFO_PATH,
]

function anonymousPaths({ configuration }: AuthenticationOptions): (path: string) => boolean {
  const chosen = configuration?.anonymous
  if (chosen && !chosen.enabled) return () => false
  if (chosen && !chosen.conditions?.length) return () => true
  const paths = new Set(chosen?.conditions?.map(({ path }) => path) ?? PUBLIC_PATHS)
  return path => paths.has(path)
}

/** Rejects with an Error that says what is wrong with the options. */
export async function createAuthentication(deps: AuthenticationDeps): Promise<Authentication> {
  const { clock, signer, accountTokens, accounts, secrets, noteUse, configuration, frontProxy: proxy } = deps
  const { audiences } = accountTokens
  const own = (authenticate: TokenAuthenticator) => forAudiences(audiences, authenticate)
  const tokens: TokenAuthenticator[] = [
    ...(deps.tokens ? [own(staticTokens(deps.tokens))] : []),
    legacyTokens({ signer, clock, accounts, secrets, audiences, noteUse }),
    accountTokens.authenticate,
    own(bootstrapTokens(secrets, clock)),
  ]
  let end: (() => void) | undefined
  if (configuration) {
    const { oidcTokens } = await import('./oidc/authenticator.ts')
    const make = (from: AuthenticationConfiguration) => oidcTokens(from, { clock, ownIssuers: [ISSUER] })
    let current = make(configuration)
    tokens.push(own((...asked) => current(...asked)))
    end = deps.follow?.(async next => {
      if (!equalJson(next.anonymous ?? null, configuration.anonymous ?? null))
        throw new Error('anonymous: Forbidden: changed from initial configuration file')
      current = make(next)
    })
  }
  if (deps.webhook) {
    const [{ webhookTokens }, { openWebhook }] = await Promise.all([
      import('./webhook.ts'),
      import('../webhooks/connection.ts'),
    ])
    const { kubeconfig, ...options } = deps.webhook
    tokens.push(webhookTokens({ ...options, endpoint: await openWebhook(kubeconfig, clock), clock, audiences }))
  }
  const authenticate = anyOf(tokens)
  const clients = deps.clientAuthority === undefined ? undefined : new Set(fingerprints(deps.clientAuthority))
  return {
    authenticators: [
      ...(proxy ? [frontProxy(proxy)] : []),
      clientCertificates(clock, clients && (fingerprint => clients.has(fingerprint ?? ''))),
      bearerTokens(authenticate, audiences),
      webSocketTokens(authenticate, audiences),
    ],
    authenticate,
    anonymous: anonymousPaths(deps),
    close: () => end?.(),
  }
}
