import type { CustomResourceDefinitionNames } from '../../generated/types/apiextensions-v1.ts'
import { invalid } from '../../machinery/field-error.ts'
import { isDns1035Label } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'

/** Appends what is wrong with names, of the spec or of those that were accepted. Empty ones are not looked at. */
export function checkNames(names: Partial<CustomResourceDefinitionNames>, path: string, errors: Errors): void {
  function label(value: string | undefined, at: string, before = '') {
    const problems = value ? isDns1035Label(before ? value.toLowerCase() : value) : []
    if (problems.length) errors.push(invalid(`${path}.${at}`, value, before + problems.join(',')))
  }
  const mixed = 'may have mixed case, but should otherwise match: '
  label(names.plural, 'plural')
  label(names.singular, 'singular')
  label(names.kind, 'kind', mixed)
  label(names.listKind, 'listKind', mixed)
  // Within lists an empty name is wrong as well.
  names.shortNames?.forEach((name, i) => {
    const problems = isDns1035Label(name)
    if (problems.length) errors.push(invalid(`${path}.shortNames[${i}]`, name, problems.join(',')))
  })
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
  }
  names.categories?.forEach((name, i) => {
    const problems = isDns1035Label(name)
    if (problems.length) errors.push(invalid(`${path}.categories[${i}]`, name, problems.join(',')))
  })
}
