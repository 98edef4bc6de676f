import type { KubeObject } from '../../api/machinery/object.ts'
import type { KindReader } from '../registry/registry.ts'

/** The newest object that says by one of `annotations` that it is the default; of two as new the first by name. */
export function newestDefault(reader: KindReader, ...annotations: readonly string[]): KubeObject | undefined {
  let found: KubeObject | undefined
  for (const { value } of reader.list()) {
    if (!annotations.some(each => value.metadata?.annotations?.[each] === 'true')) continue
    const newer = (value.metadata?.creationTimestamp ?? '') > (found?.metadata?.creationTimestamp ?? '')
    if (!found || newer) found = value
  }
  return found
}
