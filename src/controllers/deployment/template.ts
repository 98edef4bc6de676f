/** Which ReplicaSet belongs to a Deployment's template. */
import type { PodTemplateSpec } from '../../api/generated/types/core-v1.ts'
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { ReplicaSet } from '../../api/kinds/apps/replica-set.ts'
import { equalJson } from '../../lib/json.ts'

export const HASH_LABEL = 'pod-template-hash'

/** Letters that make no words (k8s.io/apimachinery/pkg/util/rand). */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

/** JSON with sorted keys: equal values give equal text. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const fields = Object.entries(value).filter(([, each]) => each !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`
}

/** FNV-1a of 32 bits. */
function fnv32(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

/** The value of the label `pod-template-hash`; `collisions` sets apart what hashed alike. */
export function templateHash(template: PodTemplateSpec, collisions: number | undefined): string {
  const hash = String(fnv32(canonical(template) + (collisions === undefined ? '' : String(collisions))))
  return [...hash].map(digit => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('')
}

/** The template without the label that a Deployment adds. */
function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  const labels = template?.metadata?.labels
  if (!template || !labels || !(HASH_LABEL in labels)) return template
  const { [HASH_LABEL]: _, ...rest } = labels
  return { ...template, metadata: { ...template.metadata, labels: rest } }
}

export const sameTemplate = (a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined) =>
  equalJson(withoutHash(a), withoutHash(b))

/** Oldest first, then by name. */
export const byCreation = (a: ReplicaSet, b: ReplicaSet) => {
  const left = a.metadata?.creationTimestamp ?? ''
  const right = b.metadata?.creationTimestamp ?? ''
  if (left !== right) return left < right ? -1 : 1
  return (a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1
}

/** The set of the current template: the oldest, where several have it. */
export const findNew = (deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined =>
  [...sets].sort(byCreation).find(each => sameTemplate(each.spec?.template, deployment.spec?.template))
