/**
 * Fills secrets of type `kubernetes.io/service-account-token` with a token of the account that they name, and deletes
 * them when that is gone.
 */
import type { Secret } from '../../api/kinds/core/secret.ts'
import { Secret as SecretKind } from '../../api/kinds/core/secret.ts'
import type { ServiceAccount } from '../../api/kinds/core/service-account.ts'
import { ServiceAccount as AccountKind } from '../../api/kinds/core/service-account.ts'
import { type Controller, defineController, read, type View, watch } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'

export const ACCOUNT_NAME = 'kubernetes.io/service-account.name'
const ACCOUNT_UID = 'kubernetes.io/service-account.uid'
const TYPE = 'kubernetes.io/service-account-token'
/** An account may be seen later than a secret that was made after it. */
const PATIENCE_MS = 1000

export interface TokenSecretOptions {
  /** Signs claims as a JSON Web Token. */
  sign(claims: Readonly<Record<string, unknown>>): string
  /** PEM of the cluster's certificate authority. */
  readonly authority: string
}

const CLAIM = 'kubernetes.io/serviceaccount'

const claimsOf = ({ metadata: account }: ServiceAccount, { metadata: secret }: Secret) => ({
  iss: 'kubernetes/serviceaccount',
  [`${CLAIM}/namespace`]: account?.namespace,
  [`${CLAIM}/secret.name`]: secret?.name,
  [`${CLAIM}/service-account.name`]: account?.name,
  [`${CLAIM}/service-account.uid`]: account?.uid,
  sub: `system:serviceaccount:${account?.namespace}:${account?.name}`,
})

const base64 = (text: string) => Buffer.from(text).toString('base64')
const accountKey = (secret: Secret) => `${secret.metadata?.namespace}/${secret.metadata?.annotations?.[ACCOUNT_NAME]}`

/** The secret as it should be; undefined where it is so already. */
export function filled(secret: Secret, account: ServiceAccount, options: TokenSecretOptions): Secret | undefined {
  const { data = {}, metadata } = secret
  const wanted: Record<string, string> = {
    'ca.crt': base64(options.authority),
    namespace: base64(metadata?.namespace ?? ''),
  }
  const complete = data.token && Object.keys(wanted).every(key => data[key] === wanted[key])
  const uid = account.metadata?.uid ?? ''
  if (complete && metadata?.annotations?.[ACCOUNT_UID] === uid) return undefined
  const token = data.token ?? base64(options.sign(claimsOf(account, secret)))
  const annotations = { ...metadata?.annotations, [ACCOUNT_UID]: uid }
  return { ...secret, metadata: { ...metadata, annotations }, data: { ...data, ...wanted, token } }
}

/** Whether the account is gone for good, and not only unseen yet. */
function isGone(view: View, key: string, now: number): boolean | number {
  const since = (view.memory.get(key) as number | undefined) ?? now
  view.memory.set(key, since)
  const due = since + PATIENCE_MS
  return now >= due || due - now
}

/** Makes the controller. */
export const tokenSecretController = (options: TokenSecretOptions): Controller =>
  defineController<Secret>({
    name: 'serviceaccount-token-controller',
    queue: 'serviceaccount_tokens_service',
    for: SecretKind,
    watches: [
      watch<ServiceAccount>(AccountKind, ({ previous, current }, view) => {
        const { namespace, name } = (current ?? previous)?.metadata ?? {}
        // A change of an account's own content concerns no secret.
        if (previous && current && previous.metadata?.uid === current.metadata?.uid) return []
        return view
          .of<Secret>(SecretKind)
          .byIndex('account', `${namespace}/${name}`)
          .map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`)
      }),
    ],
    reads: [
      read<Secret>(SecretKind, {
        account: secret => (secret.type === TYPE ? [accountKey(secret)] : []),
      }),
    ],
    reconcile(secret, view, now): Plan {
      if (secret.type !== TYPE || secret.metadata?.deletionTimestamp) return {}
      const key = `${secret.metadata?.namespace}/${secret.metadata?.name}`
      const account = view.of<ServiceAccount>(AccountKind).get(accountKey(secret))
      const uid = secret.metadata?.annotations?.[ACCOUNT_UID]
      if (account && (!uid || uid === account.metadata?.uid)) {
        view.memory.delete(key)
        const next = filled(secret, account, options)
        return next ? { writes: [{ type: 'update', resource: SecretKind, current: secret, next }] } : {}
      }
      const gone = isGone(view, key, now)
      if (gone !== true) return { requeue: after(gone as number) }
      view.memory.delete(key)
      return { writes: [{ type: 'delete', resource: SecretKind, object: secret }] }
    },
    absent(key, view): Plan {
      view.memory.delete(key)
      return {}
    },
  })
