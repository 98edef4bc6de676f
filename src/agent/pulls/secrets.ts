/** Proof for registries out of a pod's imagePullSecrets (API doc: types of Secret), matched as the kubelet does it. */
import type { Secret } from '../../api/generated/types/core-v1.ts'
import { referenceOf } from '../images/reference.ts'
import type { Credentials } from '../images/registry.ts'
import { mostParticular } from './match.ts'
import { type Proof, secretProof } from './records.ts'

/** One entry of a docker configuration. */
interface Entry {
  readonly username?: string
  readonly password?: string
  /** base64 of `user:password`. */
  readonly auth?: string
  readonly identitytoken?: string
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function entriesOf({ type, data = {} }: Secret): [string, Entry][] {
  const isConfig = type === 'kubernetes.io/dockerconfigjson'
  const text = data[isConfig ? '.dockerconfigjson' : '.dockercfg']
  if (!text) return []
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
    const found = isConfig && isRecord(value) ? value.auths : value
    return isRecord(found) ? Object.entries(found).filter((each): each is [string, Entry] => isRecord(each[1])) : []
  } catch {
    // What cannot be read proves nothing.
    return []
  }
}

function credentialsOf({ username, password, auth, identitytoken }: Entry): Credentials | undefined {
  if (identitytoken) return { token: identitytoken }
  if (username !== undefined) return { username, password: password ?? '' }
  const text = Buffer.from(auth ?? '', 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon > 0 ? { username: text.slice(0, colon), password: text.slice(colon + 1) } : undefined
}

/** What may be shown to the registry of an image, most particular first. */
export function secretProofs(secrets: readonly Secret[], image: string): Proof[] {
  const place = referenceOf(image)
  if (!place) return []
  const entries = secrets.flatMap(secret => entriesOf(secret).map(([key, entry]) => [key, { secret, entry }] as const))
  return mostParticular(entries, place).flatMap(({ secret, entry }) => {
    const credentials = credentialsOf(entry)
    return credentials ? [secretProof(secret, credentials)] : []
  })
}
