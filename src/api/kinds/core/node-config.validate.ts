/** Rules of the configuration of kubelets by the API, which is gone: nodes that have it keep it. */
import type { ConfigMapNodeConfigSource, Node, NodeConfigSource } from '../../generated/types/core-v1.ts'
import { forbidden, invalid, required } from '../../machinery/field-error.ts'
import { isConfigMapKey, isDns1123Label, isDns1123Subdomain } from '../../machinery/names.ts'
import { checkFormat, type Errors } from '../rules.ts'

const FORMATS = {
  namespace: isDns1123Label,
  name: isDns1123Subdomain,
  kubeletConfigKey: isConfigMapKey,
} as const

function checkConfigMap(source: ConfigMapNodeConfigSource, isStatus: boolean, path: string, errors: Errors): void {
  for (const field of ['uid', 'resourceVersion'] as const) {
    if (isStatus && !source[field]) errors.push(required(`${path}.${field}`))
    if (!isStatus && source[field]) errors.push(forbidden(`${path}.${field}`, `${field} must not be set in spec`))
  }
  for (const field of ['namespace', 'name', 'kubeletConfigKey'] as const) {
    if (!source[field]) errors.push(required(`${path}.${field}`))
    else checkFormat(FORMATS[field](source[field]), source[field], `${path}.${field}`, errors)
  }
}

function checkSource(source: NodeConfigSource | undefined, isStatus: boolean, path: string, errors: Errors): void {
  if (!source) return
  if (source.configMap) checkConfigMap(source.configMap, isStatus, `${path}.configMap`, errors)
  else errors.push(invalid(path, source, 'exactly one reference subfield must be non-nil'))
}

/** Where a node takes its kubelet's configuration from, as wanted and as it is. */
export function checkNodeConfig({ spec, status }: Node, errors: Errors): void {
  checkSource(spec?.configSource, false, 'spec.configSource', errors)
  for (const field of ['assigned', 'active', 'lastKnownGood'] as const) {
    checkSource(status?.config?.[field], true, `status.config.${field}`, errors)
  }
}
