/** serviceaccounts/token: a token on request (API doc: authentication.k8s.io/v1 TokenRequest). */
import { type FieldError, invalid as invalidField } from '../../api/machinery/field-error.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { badRequest, conflict, invalid } from '../../api/machinery/status-error.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { IssueOptions, ServiceAccountTokens } from '../authentication/service-accounts/tokens.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { admitCreation } from './admit.ts'
import { answer, bodyObject, requireKind, writeContext } from './request-parts.ts'

interface TokenRequest extends KubeObject {
  spec?: {
    audiences?: string[]
    expirationSeconds?: number
    boundObjectRef?: { apiVersion?: string; kind?: string; name?: string; uid?: string }
  }
  status?: { token: string; expirationTimestamp: string }
}

export interface TokenHandlerDeps {
  readonly registry: Registry
  readonly tokens: ServiceAccountTokens
  readonly clock: Clock
  /** Asked as for the creation of `serviceaccounts/token`. */
  readonly admission: AdmissionChain
}

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' }
const DEFAULT_SECONDS = 3600
/** What pods ask for; those tokens stay good for a year, for programs that read the file only once. */
const WARN_ONLY_SECONDS = 3607
const EXTENDED_SECONDS = 365 * 24 * 3600

function check(body: TokenRequest, name: string, namespace: string): void {
  const errors: FieldError[] = []
  const { name: ownName, namespace: ownNamespace } = body.metadata ?? {}
  if (ownName && ownName !== name)
    errors.push(invalidField('metadata.name', ownName, 'must match the service account name if specified'))
  if (ownNamespace && ownNamespace !== namespace)
    errors.push(
      invalidField('metadata.namespace', ownNamespace, 'must match the service account namespace if specified'),
    )
  const seconds = body.spec?.expirationSeconds ?? DEFAULT_SECONDS
  const field = 'spec.expirationSeconds'
  if (!Number.isInteger(seconds)) errors.push(invalidField(field, seconds, 'must be an integer'))
  else if (seconds < 600) errors.push(invalidField(field, seconds, 'may not specify a duration less than 10 minutes'))
  else if (seconds > 2 ** 32)
    errors.push(invalidField(field, seconds, 'may not specify a duration larger than 2^32 seconds'))
  if (errors.length) throw invalid(KIND, '', errors)
}

/** A version as Go prints one: the core group has an empty name. */
const groupVersion = (apiVersion = '') => (apiVersion.includes('/') ? apiVersion : `/${apiVersion}`)

/** The handler. */
export function tokenHandler({ registry, tokens, clock, admission }: TokenHandlerDeps): Handler {
  const accounts = requireKind(registry, 'v1/serviceaccounts')
  const pods = requireKind(registry, 'v1/pods')
  const secrets = requireKind(registry, 'v1/secrets')
  const nodes = requireKind(registry, 'v1/nodes')

  const nodeOf = (pod: KubeObject): KubeObject | undefined => {
    const name = (pod as { spec?: { nodeName?: string } }).spec?.nodeName
    // A node that is not known is still named, without its uid.
    return name ? (registry.reader(nodes).get('', name)?.value ?? { metadata: { name } }) : undefined
  }
  const bound = (body: TokenRequest, namespace: string, account: string): Partial<IssueOptions> => {
    const ref = body.spec?.boundObjectRef
    if (!ref) return {}
    const name = ref.name ?? ''
    const find = (kind: typeof pods, scope: string) => {
      const { value } = registry.get(kind, { namespace: scope, name })
      if (ref.uid && ref.uid !== value.metadata?.uid)
        throw conflict(
          { group: '', plural: kind.kind },
          name,
          `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
        )
      return value
    }
    if (ref.apiVersion === 'v1' && ref.kind === 'Pod') {
      const pod = find(pods, namespace)
      if ((pod as { spec?: { serviceAccountName?: string } }).spec?.serviceAccountName !== account)
        throw badRequest(
          `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
        )
      const node = nodeOf(pod)
      return { pod, ...(node && { node }) }
    }
    if (ref.apiVersion === 'v1' && ref.kind === 'Secret') return { secret: find(secrets, namespace) }
    if (ref.apiVersion === 'v1' && ref.kind === 'Node') return { node: find(nodes, '') }
    throw badRequest(`cannot bind token to object of type ${groupVersion(ref.apiVersion)}, Kind=${ref.kind ?? ''}`)
  }

  return async request => {
    const body = await bodyObject<TokenRequest>(request, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
    })
    const { namespace, name } = request.info
    const account = registry.get(accounts, { namespace, name }).value
    check(body, name, namespace)
    const spec = (body.spec ??= {})
    if (body.metadata?.uid && body.metadata.uid !== account.metadata?.uid)
      throw conflict(
        { group: KIND.group, plural: KIND.kind },
        name,
        `the UID in the token request (${body.metadata.uid}) does not match the UID of the service account (${account.metadata?.uid})`,
      )
    spec.expirationSeconds ??= DEFAULT_SECONDS
    const now = clock.now()
    const { uid = '' } = account.metadata ?? {}
    body.metadata = { ...body.metadata, name, namespace, uid, creationTimestamp: rfc3339(now) }
    const context = writeContext(request, 'token')
    const of = { kind: accounts, subresource: 'token', objectKind: { ...KIND, version: 'v1' }, name }
    await admitCreation(admission, request, context, of, body)
    // After admission: a node may ask for no audience of its own choice, and this is none.
    if (!spec.audiences?.length) spec.audiences = [...tokens.audiences]
    const objects = bound(body, namespace, name)
    const ownAudiences = spec.audiences.every(audience => tokens.audiences.includes(audience))
    const extended = objects.pod && spec.expirationSeconds === WARN_ONLY_SECONDS && ownAudiences
    const token = await tokens.issue({
      account,
      ...objects,
      audiences: spec.audiences,
      expirationSeconds: extended ? EXTENDED_SECONDS : spec.expirationSeconds,
      ...(extended && { warnAfterSeconds: spec.expirationSeconds }),
    })
    body.status = { token, expirationTimestamp: rfc3339(now + spec.expirationSeconds * 1000) }
    return answer(body, 201)
  }
}
