/** Which ConfigMaps and Secrets a pod reads. */
import type { Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { References } from '../object-source.ts'
import { withEphemeral } from './object.ts'

/** Everything that variables and volumes of the pod name, each once. */
export function referencesOf(pod: Pod): References {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  const add = (set: Set<string>, name: string | undefined) => name && set.add(name)
  for (const container of withEphemeral(pod)) {
    for (const { valueFrom } of container.env ?? []) {
      add(configMaps, valueFrom?.configMapKeyRef?.name)
      add(secrets, valueFrom?.secretKeyRef?.name)
    }
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add(configMaps, configMapRef?.name)
      add(secrets, secretRef?.name)
    }
  }
  for (const { name } of pod.spec?.imagePullSecrets ?? []) add(secrets, name)
  for (const volume of pod.spec?.volumes ?? []) fromVolume(volume, configMaps, secrets)
  return { configMaps: [...configMaps], secrets: [...secrets] }
}

function fromVolume(volume: Volume, configMaps: Set<string>, secrets: Set<string>) {
  if (volume.configMap?.name) configMaps.add(volume.configMap.name)
  if (volume.secret?.secretName) secrets.add(volume.secret.secretName)
  for (const { configMap, secret } of volume.projected?.sources ?? []) {
    if (configMap?.name) configMaps.add(configMap.name)
    if (secret?.name) secrets.add(secret.name)
  }
}
