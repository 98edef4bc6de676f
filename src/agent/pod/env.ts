/** Variables of a container (API doc: EnvVar, EnvFromSource), and `$(NAME)` in them, in commands and in arguments. */
import { join } from 'node:path'
import type { Container, EnvVarSource, FileKeySelector, Pod } from '../../api/generated/types/core-v1.ts'
import type { HeldObjects } from '../object-source.ts'
import { readInside, valueIn } from './env-file.ts'
import { fieldValue, type PodAddresses, resourceValue } from './fields.ts'

/** What a value may come from. */
export interface EnvContext {
  readonly objects: Pick<HeldObjects, 'configMap' | 'secret'>
  readonly addresses: PodAddresses
  /** node.status.allocatable. */
  readonly allocatable: Readonly<Record<string, string>>
  /** Where a volume of the pod is on this machine. */
  volumePath?(name: string): string | undefined
  /** Variables of services. */
  readonly services: Readonly<Record<string, string>>
}

/** The cause of a CreateContainerConfigError, in the kubelet's words. */
export class ConfigError extends Error {}

/** Replaces `$(NAME)` by known variables; `$$` is a `$`; unknown references stay (API doc: Container.command). */
export function expand(text: string, known: Readonly<Record<string, string>>): string {
  if (!text.includes('$')) return text
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    whole === '$$' ? '$' : (known[name ?? ''] ?? whole),
  )
}

const decode = (data: Readonly<Record<string, string>> | undefined, key: string) =>
  data?.[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString()

/** All entries of a ConfigMap or Secret as text; undefined when the object is missing. */
function entries(
  kind: 'configMap' | 'secret',
  name: string,
  { objects }: EnvContext,
): Record<string, string> | undefined {
  if (kind === 'configMap') return objects.configMap(name)?.data ?? (objects.configMap(name) && {})
  const secret = objects.secret(name)
  if (!secret) return undefined
  return Object.fromEntries(Object.keys(secret.data ?? {}).map(key => [key, decode(secret.data, key) ?? '']))
}

function fromSource(pod: Pod, container: Container, source: EnvVarSource, context: EnvContext): string | undefined {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source
  if (fieldRef) return fieldValue(pod, fieldRef.fieldPath, context.addresses)
  if (resourceFieldRef) return resourceValue(pod, resourceFieldRef, container.name, context.allocatable)
  const namespace = pod.metadata?.namespace
  if (source.fileKeyRef) return fromFile(source.fileKeyRef, context)
  const reference = (configMapKeyRef ?? secretKeyRef)!
  const kind = configMapKeyRef ? 'configMap' : 'secret'
  const data = entries(kind, reference.name ?? '', context)
  const value = data?.[reference.key]
  if (value !== undefined || reference.optional) return value
  if (!data) throw new ConfigError(`${kind.toLowerCase()} ${JSON.stringify(reference.name)} not found`)
  const title = configMapKeyRef ? 'ConfigMap' : 'Secret'
  throw new ConfigError(`couldn't find key ${reference.key} in ${title} ${namespace}/${reference.name}`)
}

function fromFile({ volumeName, path, key, optional }: FileKeySelector, context: EnvContext): string | undefined {
  const volume = context.volumePath?.(volumeName)
  if (!volume) throw new ConfigError(`cannot find the volume ${JSON.stringify(volumeName)} referenced by FileKeyRef`)
  let value: string
  try {
    value = valueIn(readInside(volume, path), key)
  } catch (cause) {
    throw new ConfigError("couldn't parse env file", { cause })
  }
  if (value !== '') return value
  if (optional) return undefined
  const where = `file ${JSON.stringify(join(volume, path))}`
  throw new ConfigError(`environment variable key ${JSON.stringify(key)} not found in ${where}`)
}

/**
 * The container's variables by name: those of services first, then `envFrom`, then `env` in its order. Throws
 * `ConfigError` where something that is needed is missing.
 */
export function environmentOf(pod: Pod, container: Container, context: EnvContext): Record<string, string> {
  const result: Record<string, string> = {}
  for (const { configMapRef, secretRef, prefix = '' } of container.envFrom ?? []) {
    const kind = configMapRef ? 'configMap' : 'secret'
    const reference = configMapRef ?? secretRef
    const data = entries(kind, reference?.name ?? '', context)
    if (!data) {
      if (reference?.optional) continue
      throw new ConfigError(`${kind.toLowerCase()} ${JSON.stringify(reference?.name)} not found`)
    }
    for (const [key, value] of Object.entries(data)) result[prefix + key] = value
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    // Later variables may refer to earlier ones, and all of them to services.
    const known = valueFrom ? undefined : { ...context.services, ...result }
    const made = valueFrom ? fromSource(pod, container, valueFrom, context) : expand(value ?? '', known!)
    if (made !== undefined) result[name] = made
  }
  return { ...context.services, ...result }
}
