/** What is odd about the volumes of a pod, but let through (k8s.io/kubernetes `pkg/api/pod/warnings.go`). */
import type { Volume, VolumeProjection } from '../../generated/types/core-v1.ts'
import { milliValue } from '../../machinery/quantity.ts'

/** Types whose drivers are no more, with what is said of them. */
const GONE: readonly (readonly [field: keyof Volume & string, words: string, shown?: string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+', 'storageOS'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

/** Bytes that are not whole. */
export function fractionWarning(quantity: string | undefined, path: string): string[] {
  if (quantity === undefined || milliValue(quantity) % 1000 === 0) return []
  return [`${path}: fractional byte value ${JSON.stringify(quantity)} is invalid, must be an integer`]
}

function goneWarnings(volume: Volume, path: string): string[] {
  const warnings: string[] = []
  for (const [field, words, shown = field] of GONE) if (volume[field]) warnings.push(`${path}.${shown}: ${words}`)
  const at = `${path}.ephemeral.volumeClaimTemplate.spec.resources`
  const resources = volume.ephemeral?.volumeClaimTemplate?.spec?.resources
  return [
    ...warnings,
    ...fractionWarning(resources?.requests?.storage, `${at}.requests[storage]`),
    ...fractionWarning(resources?.limits?.storage, `${at}.limits[storage]`),
  ]
}

interface File {
  readonly path: string
  readonly source: string
}

const files = (items: readonly { path?: string }[] | undefined, source = ''): File[] =>
  (items ?? []).map(({ path = '' }) => ({ path: path.replace(/\/+$/, ''), source }))

const shown = ({ path, source }: File) => JSON.stringify(path) + (source && ` (${source})`)

/** Pairs of files that cannot both be: the same, or one where the other's folder is. */
function overlaps(all: readonly File[]): string[] {
  const found: string[] = []
  for (const [index, file] of all.entries()) {
    if (file.path === '') continue
    for (const other of all.slice(0, index)) {
      if (other.path === '') continue
      const [one, two] = [`${file.path}/`, `${other.path}/`]
      if (one.startsWith(two) || two.startsWith(one)) found.push(`${shown(file)} with ${shown(other)}`)
    }
  }
  return found
}

function projectedFiles({ configMap, secret, downwardAPI, serviceAccountToken }: VolumeProjection): File[] {
  if (configMap?.items) return files(configMap.items, `ConfigMap ${JSON.stringify(configMap.name ?? '')}`)
  if (secret?.items) return files(secret.items, `Secret ${JSON.stringify(secret.name ?? '')}`)
  if (downwardAPI?.items) return files(downwardAPI.items, 'DownwardAPI')
  return serviceAccountToken ? files([serviceAccountToken], 'ServiceAccountToken') : []
}

function overlapWarnings({ name, configMap, secret, downwardAPI, projected }: Volume): string[] {
  const warnings: string[] = []
  const warn = (what: string, all: readonly File[]) => {
    for (const pair of overlaps(all)) {
      warnings.push(`volume ${JSON.stringify(name)} (${what}): overlapping paths: ${pair}`)
    }
  }
  warn(`ConfigMap ${JSON.stringify(configMap?.name ?? '')}`, files(configMap?.items))
  warn(`Secret ${JSON.stringify(secret?.secretName ?? '')}`, files(secret?.items))
  warn('DownwardAPI', files(downwardAPI?.items))
  const sources = projected?.sources ?? []
  for (const source of sources) {
    if (Object.values(source ?? {}).some(Boolean)) continue
    warnings.push(`volume ${JSON.stringify(name)} (Projected) has no sources provided`)
  }
  warn('Projected', sources.flatMap(projectedFiles))
  return warnings
}

/** Warnings about volumes, in the order of upstream. `path` is that of the list. */
export const volumeWarnings = (volumes: readonly Volume[], path: string): string[] => [
  ...volumes.flatMap((volume, index) => goneWarnings(volume, `${path}[${index}]`)),
  ...volumes.flatMap(overlapWarnings),
]
