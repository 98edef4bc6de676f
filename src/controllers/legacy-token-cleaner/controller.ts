/**
 * Takes back the tokens that Kubernetes once made for every service account and kept in a secret: one that nobody has
 * used for a year is marked as invalid, and deleted after another year (KEP-2799). Secrets that people made for
 * themselves, and those that pods mount, are left alone.
 */
import { ConfigMap } from '../../api/kinds/core/config-map.ts'
import { Pod } from '../../api/kinds/core/pod.ts'
import { podReferences } from '../../api/kinds/core/pod-references.ts'
import { Secret } from '../../api/kinds/core/secret.ts'
import { ServiceAccount } from '../../api/kinds/core/service-account.ts'
import { parseTime } from '../../api/machinery/time.ts'
import { defineController, read, type View, watch } from '../../control/controller.ts'
import { after, type Plan } from '../../control/plan.ts'

const TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT_NAME = 'kubernetes.io/service-account.name'
const ACCOUNT_UID = 'kubernetes.io/service-account.uid'
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
/** Says since when the use of such tokens is noted. */
const TRACKING = 'kube-system/kube-apiserver-legacy-service-account-token-tracking'

const DAY_MS = 24 * 3_600_000
/** Without use for so long, as kube-controller-manager's `--legacy-service-account-token-clean-up-period`. */
const UNUSED_MS = 365 * DAY_MS

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
const isDay = (text: string | undefined): text is string =>
  text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))

/** Whether the secret is one that was made with its account, which lists it. */
function isGenerated({ metadata }: Secret, view: View): boolean {
  const { namespace, name, annotations = {} } = metadata ?? {}
  const account = view.of<ServiceAccount>(ServiceAccount).get(`${namespace}/${annotations[ACCOUNT_NAME] ?? ''}`)
  if (!account?.secrets?.some(each => each.name === name)) return false
  const uid = annotations[ACCOUNT_UID]
  return !uid || uid === account.metadata?.uid
}

function isMounted({ metadata }: Secret, view: View): boolean {
  const pods = view.of<Pod>(Pod).list(metadata?.namespace)
  return pods.some(pod => [...podReferences(pod, 'secrets')].includes(metadata?.name))
}

/** Plans what becomes of a token: a mark, its end, or another look tomorrow. */
export function reconcile(secret: Secret, view: View, now: number): Plan {
  const { labels = {}, creationTimestamp, deletionTimestamp, resourceVersion } = secret.metadata ?? {}
  if (secret.type !== TYPE || deletionTimestamp || !isGenerated(secret, view)) return {}
  const tomorrow: Plan = { requeue: after(DAY_MS) }
  const tracked = view.of<ConfigMap>(ConfigMap).get(TRACKING)?.data?.since
  // The day after the first on which use was noted is the first that is known whole.
  if (!isDay(tracked) || now < Date.parse(tracked) + DAY_MS + UNUSED_MS) return tomorrow
  if ((parseTime(creationTimestamp) ?? now) >= now - UNUSED_MS) return tomorrow
  const oldest = dayOf(now - UNUSED_MS)
  const lastUsed = labels[LAST_USED]
  if (lastUsed !== undefined && (!isDay(lastUsed) || lastUsed >= oldest)) return tomorrow
  if (isMounted(secret, view)) return tomorrow
  const invalidSince = labels[INVALID_SINCE]
  if (!isDay(invalidSince)) {
    const patch = { metadata: { labels: { [INVALID_SINCE]: dayOf(now) } } }
    return { writes: [{ type: 'patch', resource: Secret, object: secret, patch }] }
  }
  if (invalidSince >= oldest) return tomorrow
  // It may be used at this moment: then it is another one.
  const options = resourceVersion ? { preconditions: { resourceVersion } } : {}
  return { writes: [{ type: 'delete', resource: Secret, object: secret, options }] }
}

export const legacyTokenCleaner = defineController<Secret>({
  name: 'legacy-serviceaccount-token-cleaner-controller',
  for: Secret,
  watches: [
    watch<ServiceAccount>(ServiceAccount, ({ current }) =>
      (current?.secrets ?? []).map(({ name }) => `${current?.metadata?.namespace}/${name}`),
    ),
  ],
  reads: [read<Pod>(Pod), read<ConfigMap>(ConfigMap)],
  reconcile,
})
