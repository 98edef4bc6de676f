/** metadata on its way into the store: what the server sets, and what a client may not change. */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject, ObjectMeta } from '../../api/machinery/object.ts'
import { badRequest } from '../../api/machinery/status-error.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import { equalJson } from '../../lib/json.ts'

/** Letters and digits of generated names: no vowels, so no words. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
/** Names are cut so that base and suffix fit in a label of 63. */
const MAX_BASE = 58

/** A name made from generateName. `random` gives numbers in [0, 1). */
export function generateName(base: string, random: () => number): string {
  let suffix = ''
  for (let at = 0; at < 5; at++) suffix += ALPHABET[Math.floor(random() * ALPHABET.length)]
  return base.slice(0, MAX_BASE) + suffix
}

/** Sets metadata.namespace; refuses an object that says another one than the request does. */
export function settleNamespace(kind: Kind, meta: ObjectMeta, namespace: string) {
  const expected = kind.namespaced ? namespace : ''
  // What lives in no namespace loses one without a word.
  if (expected && meta.namespace && meta.namespace !== expected) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (expected) meta.namespace = expected
  else delete meta.namespace
}

/** Takes off what only the server sets. */
export function wipeMetadata(meta: ObjectMeta) {
  delete meta.uid
  delete meta.creationTimestamp
  delete meta.deletionTimestamp
  delete meta.deletionGracePeriodSeconds
  delete meta.selfLink
  delete meta.resourceVersion
}

/** What the server sets on a new object. */
export function initMetadata(kind: Kind, meta: ObjectMeta, uid: string, now: number) {
  wipeMetadata(meta)
  meta.uid = uid
  meta.creationTimestamp = rfc3339(now)
  if (kind.generation) meta.generation = 1
}

/** Puts back what an update cannot change; what it may not change, and does, validation finds. */
export function keepMetadata(meta: ObjectMeta, old: ObjectMeta) {
  meta.uid ||= old.uid!
  meta.resourceVersion = old.resourceVersion!
  if (old.creationTimestamp) meta.creationTimestamp = old.creationTimestamp
  if (old.deletionTimestamp) meta.deletionTimestamp = old.deletionTimestamp
  if (old.deletionGracePeriodSeconds !== undefined) meta.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds
  if (old.generation !== undefined) meta.generation = old.generation
  else delete meta.generation
}

/** Whether anything but metadata and status differs: what metadata.generation counts. */
export function specDiffers(kind: Kind, next: KubeObject, old: KubeObject): boolean {
  // The status of a custom resource without that endpoint is a field like others.
  if (kind.custom && !kind.status) return !equalJson({ ...next, metadata: null }, { ...old, metadata: null })
  const { metadata: a, status: _s, ...rest } = next as KubeObject & { status?: unknown }
  const { metadata: b, status: _t, ...before } = old as KubeObject & { status?: unknown }
  return !equalJson(rest, before)
}
