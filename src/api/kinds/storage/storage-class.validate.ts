/** Rules of StorageClasses (k8s.io/kubernetes `pkg/apis/storage/validation`). */
import type { TopologySelectorLabelRequirement, TopologySelectorTerm } from '../../generated/types/core-v1.ts'
import type { StorageClass } from '../../generated/types/storage-v1.ts'
import { duplicate, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { check, checkQualifiedName, checkSupported, type Errors, immutable, immutableText } from '../rules.ts'
import { checkParameters, checkProvisioner } from './parameters.validate.ts'

const POLICIES = ['Delete', 'Retain']
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer']

function checkRequirement(one: TopologySelectorLabelRequirement, path: string, errors: Errors): void {
  const values = one.values ?? []
  if (!values.length) errors.push(required(`${path}.values`))
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) < index) errors.push(duplicate(`${path}.values[${index}]`, value))
  }
  checkQualifiedName(one.key ?? '', `${path}.key`, errors)
}

/** A term as text: two terms with the same text say the same. */
const textOf = ({ matchLabelExpressions = [] }: TopologySelectorTerm) =>
  JSON.stringify(
    [...new Map(matchLabelExpressions.map(({ key, values }) => [key, [...new Set(values)].sort()]))].sort((a, b) =>
      (a[0] ?? '') < (b[0] ?? '') ? -1 : 1,
    ),
  )

function checkTopologies(terms: readonly TopologySelectorTerm[], path: string, errors: Errors): void {
  // Upstream counts an empty term as a copy of one for each term.
  const seen = terms.map(() => '[]')
  for (const [index, term] of terms.entries()) {
    const at = `${path}[${index}].matchLabelExpressions`
    const keys = new Set<string>()
    for (const [place, one] of (term.matchLabelExpressions ?? []).entries()) {
      checkRequirement(one, `${at}[${place}]`, errors)
      if (keys.has(one.key)) errors.push(duplicate(`${at}[${place}].key`, one.key))
      keys.add(one.key)
    }
    const text = textOf(term)
    for (const other of seen) if (other === text) errors.push(duplicate(at, ''))
    seen.push(text)
  }
}

export const storageClassRules: readonly Rule<StorageClass>[] = [
  check<StorageClass>((next, errors) => {
    const { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies } = next
    checkProvisioner(provisioner, 'provisioner', errors)
    checkParameters(parameters, 'parameters', errors)
    checkSupported(reclaimPolicy || undefined, POLICIES, 'reclaimPolicy', errors)
    checkSupported(volumeBindingMode, BINDING_MODES, 'volumeBindingMode', errors)
    checkTopologies(allowedTopologies ?? [], 'allowedTopologies', errors)
  }),
  immutable('parameters'),
  immutableText('provisioner'),
  immutable('reclaimPolicy', 'volumeBindingMode'),
]
