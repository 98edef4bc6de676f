import type { PersistentVolumeClaim } from '../generated/types/core-v1.ts'
import type { ResourceList } from '../kinds/core/resources.ts'
import { compareQuantities, formatQuantity, quantityOf, quantityValue } from '../machinery/quantity.ts'
import type { Evaluator } from './evaluator.ts'
import { attributeClasses, claimInScope } from './scopes.ts'

const COUNT = 'count/persistentvolumeclaims'
const NAMES = ['persistentvolumeclaims', 'requests.storage']
const BY_CLASS = '.storageclass.storage.k8s.io/'
const LEGACY_CLASS = 'volume.beta.kubernetes.io/storage-class'

const classOf = ({ metadata, spec }: PersistentVolumeClaim) =>
  metadata?.annotations?.[LEGACY_CLASS] ?? spec?.storageClassName ?? ''

/** Whole bytes: fractions are rounded up. */
function whole(amount: string): string {
  const rounded = formatQuantity(quantityOf(quantityValue(amount)))
  return compareQuantities(amount, rounded) === 0 ? amount : rounded
}

function storageOf({ spec, status }: PersistentVolumeClaim): string | undefined {
  const asked = spec?.resources?.requests?.storage
  if (asked === undefined) return undefined
  const allocated = status?.allocatedResources?.storage
  return whole(allocated !== undefined && compareQuantities(allocated, asked) > 0 ? allocated : asked)
}

/** A change of status that takes or gives: storage that was given, or another attributes class. */
function statusChanges(next: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const [a, b] = [next.status?.allocatedResources?.storage, old.status?.allocatedResources?.storage]
  return a !== b || attributeClasses(next).sort().join() !== attributeClasses(old).sort().join()
}

/** Persistent volume claims: their number and storage, in all and by storage class. */
export const claimEvaluator: Evaluator = {
  charges({ operation, subresource, object, old }) {
    if (subresource === 'status') return statusChanges(object as PersistentVolumeClaim, old as PersistentVolumeClaim)
    return subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
  },
  matching: names =>
    names.filter(name => name === COUNT || NAMES.includes(name) || NAMES.some(each => name.endsWith(BY_CLASS + each))),
  usage(object) {
    const claim = object as PersistentVolumeClaim
    const [storage, storageClass] = [storageOf(claim), classOf(claim)]
    const own: ResourceList = {
      persistentvolumeclaims: '1',
      ...(storage !== undefined && { 'requests.storage': storage }),
    }
    const byClass = Object.entries(own).map(([name, amount]) => [storageClass + BY_CLASS + name, amount] as const)
    return { ...own, [COUNT]: '1', ...(storageClass && Object.fromEntries(byClass)) }
  },
  inScope: claimInScope,
}
