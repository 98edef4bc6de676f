/** Classes (of storage, of Ingresses) that a cluster has from the start. */
import type { KubeObject } from '../api/machinery/object.ts'
import { hasReason, type KindClient } from '../client/client.ts'

/**
 * Makes a class where there is none of its name, as the default one where no other is; `defaultMark` is the annotation
 * that says so. What people make of it stays as it is.
 */
export async function ensureClass<T extends KubeObject>(
  classes: KindClient<T>,
  wanted: T,
  defaultMark: string,
): Promise<void> {
  const name = wanted.metadata?.name ?? ''
  if (await classes.find({ name })) return
  const hasDefault = (await classes.listAll()).some(({ metadata }) => metadata?.annotations?.[defaultMark] === 'true')
  const metadata = { name, ...(!hasDefault && { annotations: { [defaultMark]: 'true' } }) }
  await classes.create({ ...wanted, metadata }).catch(error => {
    if (!hasReason(error, 'AlreadyExists')) throw error
  })
}
