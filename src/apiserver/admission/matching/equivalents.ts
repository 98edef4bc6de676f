/** Kinds that show the same objects in several versions or groups (`matchPolicy: Equivalent`). */
import { Encoded } from '../../../api/machinery/encoded.ts'
import type { Kind } from '../../../api/machinery/kind.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'

export interface KindSource {
  kinds(): readonly Kind[]
  kind(key: string): Kind | undefined
}

/** What kinds of the same objects have in common. */
function identity(source: KindSource, kind: Kind): string {
  const storage = kind.storage ? source.kind(kind.storage.kind) : kind
  return storage ? `${storage.group}/${storage.plural}` : kind.key
}

/** The other kinds that show the objects of `kind`. */
export function equivalentKinds(source: KindSource, kind: Kind): readonly Kind[] {
  const own = identity(source, kind)
  return source.kinds().filter(each => each.key !== kind.key && identity(source, each) === own)
}

/** An object of one kind as another of the same objects shows it. Rejects where a webhook does not convert it. */
export async function convertObject(object: KubeObject, from: Kind, to: Kind): Promise<KubeObject> {
  if (from.key === to.key) return object
  if (from.custom && to.custom) {
    const stored = new Encoded(Buffer.from(JSON.stringify(await from.custom.conversion.store(object))), 0)
    await to.custom.conversion.convert?.([stored])
    return to.custom.conversion.show(stored).value
  }
  const stored = from.storage ? from.storage.encode(object) : object
  const shown = to.storage ? to.storage.decode(stored) : stored
  return { ...shown, apiVersion: to.apiVersion, kind: to.kind }
}
