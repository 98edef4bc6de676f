/** Everything that stands on the registry, put together for `ApiServerDeps.extend`. */
import { randomUUID } from 'node:crypto'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { NodeDirectory } from '../../client/node-api.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { type AdmissionOptions, admissionPlugins } from '../admission/all.ts'
import { openAggregation } from '../aggregation/aggregation.ts'
import { publishTrust, type Trust } from '../aggregation/authentication-config.ts'
import { keepLocalServices } from '../aggregation/local-services.ts'
import { type AuthenticationOptions, createAuthentication } from '../authentication/all.ts'
import { certificateRequestHooks } from '../authentication/certificate-requests.ts'
import { FRONT_PROXY_HEADERS } from '../authentication/front-proxy.ts'
import { LAST_USED } from '../authentication/service-accounts/legacy-tokens.ts'
import { createTokenSigner } from '../authentication/service-accounts/token-signer.ts'
import { ISSUER, serviceAccountTokens } from '../authentication/service-accounts/tokens.ts'
import { type AuthorizationDeps, createAuthorization } from '../authorization/all.ts'
import { firstOf, MASTERS } from '../authorization/authorizers.ts'
import { ingressSecrets } from '../authorization/ingress-secrets.ts'
import { openNodeAuthorizer } from '../authorization/node/node.ts'
import { keepAggregated } from '../authorization/rbac/aggregation.ts'
import { escalationHooks } from '../authorization/rbac/escalation.ts'
import { openRbac } from '../authorization/rbac/rbac.ts'
import { webhookConversion } from '../custom/webhook-conversion.ts'
import { expireEvents } from '../events/expiry.ts'
import { admissionChain } from '../registry/admission-chain.ts'
import type { KindHooks, Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { resourceMetricsHandlers } from '../resource-metrics/handlers.ts'
import { createSampler } from '../resource-metrics/sampler.ts'
import { reviewHandlers } from '../reviews/all.ts'
import type { ComponentHealth } from '../reviews/component-status.ts'
import type { ServerExtensions } from '../server.ts'
import { serviceAllocation } from '../services/allocation.ts'
import { serviceResolver } from '../services/endpoint.ts'
import { ipAddresses } from '../services/ip-addresses.ts'
import { subresourceHandlers } from '../subresources/all.ts'
import { answer, requireKind } from '../subresources/request-parts.ts'
import { createWebhookCaller } from '../webhooks/call.ts'
import { clusterRoles } from './policy.generated.ts'
import { parseRule } from './policy-source.ts'
import { bootstrap } from './reconcile.ts'

export interface ExtensionDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** Private key of service account tokens, in PEM (`Pki.tokenKey()`). */
  readonly tokenKey: string
  /** Finds the agents of nodes. */
  readonly nodes: NodeDirectory
  /** Chance, for replays. Default: the machine's. */
  readonly random?: { uuid(): string; number(): number }
  /** Networks of service addresses, one of a family, as in `10.96.0.0/16,fd00:10:96::/112`. Default 10.96.0.0/16. */
  readonly serviceCidr?: string
  /** First and last node port. Default 30000 to 32767. */
  readonly nodePorts?: readonly [number, number]
  /** How long events are kept, in ms. Default an hour. */
  readonly eventTtl?: number
  /** What this server and aggregated ones know each other by; without it they are asked by nobody in particular. */
  readonly frontProxy?: { readonly trust: Trust; client(): Promise<KeyPair> }
  /** Ways to say who one is, besides certificates, service accounts and bootstrap tokens. */
  readonly authentication?: AuthenticationOptions
  /** Which admission plugins run. Default: those of kube-apiserver. */
  readonly admission?: AdmissionOptions
  /** Whether ClusterRoles with an aggregation rule are filled, which Kubernetes has a controller for. Default true. */
  readonly gatherRoles?: boolean
  /** Which authorizers decide. Default: the node authorizer, then RBAC. */
  readonly authorization?: Pick<AuthorizationDeps, 'configuration' | 'follow'>
  /** For `kubectl get componentstatuses`. Default: all parts are well, as they run in this process. */
  components?(): readonly ComponentHealth[]
}

const allWell = (): ComponentHealth[] =>
  ['scheduler', 'controller-manager', 'etcd-0'].map(name => ({ name, healthy: true, message: 'ok' }))

/** The documents by which others verify tokens (OpenID Connect Discovery). */
function discoveryPaths(signer: ReturnType<typeof createTokenSigner>): ReadonlyMap<string, Handler> {
  const jwks: Handler = async () => ({
    type: 'bytes',
    status: 200,
    contentType: 'application/jwk-set+json',
    bytes: Buffer.from(JSON.stringify(await signer.jwks())),
  })
  const configuration: Handler = async () =>
    answer({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [signer.algorithm],
    })
  return new Map([
    ['/openid/v1/jwks', jwks],
    ['/.well-known/openid-configuration', configuration],
  ])
}

/** Labels a secret with the day on which its token was last used. Failing that is not worth a request's failure. */
async function noteUse(registry: Registry, kind: Kind, { metadata }: KubeObject, day: string, logger: Logger) {
  const { namespace = '', name = '', uid } = metadata ?? {}
  try {
    await registry.update(
      kind,
      { namespace, name },
      object => {
        const meta = object.metadata
        if (meta && meta.uid === uid) meta.labels = { ...meta.labels, [LAST_USED]: day }
      },
      { user: { name: 'system:apiserver', groups: [MASTERS] }, fieldManager: 'kube-apiserver' },
    )
  } catch (error) {
    logger.debug({ err: error, namespace, secret: name }, 'the use of a token could not be noted on its secret')
  }
}

/** Proxies that speak for users, and how their certificates are told from clients' own. */
function proxyOptions({ frontProxy }: ExtensionDeps): Pick<AuthenticationOptions, 'frontProxy' | 'clientAuthority'> {
  if (!frontProxy) return {}
  const { clientCa, frontProxyCa, names } = frontProxy.trust
  const options = { authority: frontProxyCa, allowedNames: names, ...FRONT_PROXY_HEADERS }
  return { frontProxy: options, clientAuthority: clientCa }
}

/**
 * Makes authentication, authorization, admission, special resources and hooks over a registry, and brings the objects
 * of a fresh cluster into it.
 */
export async function extendServer(registry: Registry, deps: ExtensionDeps): Promise<ServerExtensions> {
  const { clock, logger } = deps
  const random = deps.random ?? { uuid: randomUUID, number: Math.random }
  const reader = (key: string) => registry.reader(requireKind(registry, key))
  await bootstrap(registry, {
    trackedSince: new Date(clock.now()).toISOString().slice(0, 10),
    ...(deps.serviceCidr && { serviceCidr: deps.serviceCidr }),
  })

  const rbac = openRbac(registry)
  const nodeRules = (clusterRoles['system:node']?.rules ?? []).map(parseRule)
  const nodeAuthorizer = openNodeAuthorizer({
    kind: registry.kind,
    reader: registry.reader,
    rules: nodeRules,
  })
  const authorization = await createAuthorization({
    clock,
    node: firstOf(nodeAuthorizer.authorize, ingressSecrets(reader('networking.k8s.io/v1/ingresses'))),
    rbac: rbac.authorize,
    ...deps.authorization,
  })
  const authorizer = authorization.authorize
  if (deps.gatherRoles !== false) {
    keepAggregated(registry, requireKind(registry, 'rbac.authorization.k8s.io/v1/clusterroles'), logger)
  }

  const signer = createTokenSigner(deps.tokenKey)
  const tokens = serviceAccountTokens({
    signer,
    clock,
    accounts: reader('v1/serviceaccounts'),
    pods: reader('v1/pods'),
    secrets: reader('v1/secrets'),
    nodes: reader('v1/nodes'),
    uuid: random.uuid,
  })
  const secrets = requireKind(registry, 'v1/secrets')
  const authentication = await createAuthentication({
    ...proxyOptions(deps),
    ...deps.authentication,
    clock,
    signer,
    accountTokens: tokens,
    accounts: reader('v1/serviceaccounts'),
    secrets: reader('v1/secrets'),
    noteUse: (secret, day) => void noteUse(registry, secrets, secret, day, logger),
  })
  const { authenticators, authenticate, anonymous } = authentication
  const webhooks = createWebhookCaller({
    resolve: serviceResolver({
      services: reader('v1/services'),
      endpointSlices: reader('discovery.k8s.io/v1/endpointslices'),
      random: random.number,
    }),
    clock,
  })
  const admission = admissionPlugins({
    kinds: registry.kinds,
    kind: registry.kind,
    kindOf: registry.kindOf,
    reader: registry.reader,
    create: registry.create,
    update: registry.update,
    clock,
    logger,
    random: random.number,
    uuid: random.uuid,
    webhooks,
    authorizer,
    ...(deps.admission && { options: deps.admission }),
  })
  const chain = admissionChain(() => admission)
  await Promise.all([
    keepLocalServices(registry, logger),
    deps.frontProxy && publishTrust(registry, deps.frontProxy.trust),
  ])
  const aggregation = openAggregation({
    registry,
    nodes: deps.nodes,
    clock,
    logger,
    random: random.number,
    ...(deps.frontProxy && { client: deps.frontProxy.client }),
  })
  const addressKind = registry.kind('networking.k8s.io/v1/ipaddresses')
  const cidrKind = registry.kind('networking.k8s.io/v1/servicecidrs')
  const services = serviceAllocation({
    services: reader('v1/services'),
    ...(cidrKind && { cidrs: registry.reader(cidrKind) }),
    ...(addressKind && { objects: ipAddresses(registry, addressKind, logger) }),
    random: random.number,
    ...(deps.serviceCidr && { serviceCidr: deps.serviceCidr }),
    ...(deps.nodePorts && { nodePorts: deps.nodePorts }),
  })
  const endExpiry = expireEvents(registry, { clock, logger, ...(deps.eventTtl && { ttl: deps.eventTtl }) })
  return {
    authenticators,
    anonymous,
    authorizer,
    admission,
    subresources: subresourceHandlers({
      registry,
      tokens,
      admission: chain,
      nodes: deps.nodes,
      authorizer,
      clock,
      random: random.number,
    }),
    virtual: new Map([
      ...reviewHandlers({
        registry,
        admission: chain,
        rbac,
        authorizer,
        authenticate,
        audiences: tokens.audiences,
        clock,
        components: deps.components ?? allWell,
      }),
      ...resourceMetricsHandlers({
        nodes: reader('v1/nodes'),
        pods: reader('v1/pods'),
        sampler: createSampler({ nodes: deps.nodes, clock, logger }),
        clock,
      }),
    ]),
    hooks: new Map<string, KindHooks>([
      ['v1/services', services.hooks],
      ['certificates.k8s.io/v1/certificatesigningrequests', certificateRequestHooks],
      ...escalationHooks(rbac, authorizer),
    ]),
    converter: definition => webhookConversion(definition, { webhooks, uuid: random.uuid }),
    paths: discoveryPaths(signer),
    ...(aggregation && { aggregation }),
    close() {
      endExpiry()
      authentication.close()
      authorization.close()
    },
  }
}
