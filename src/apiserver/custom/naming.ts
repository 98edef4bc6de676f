/** Which names a definition gets: those that no other definition of its group has taken (the first comes first). */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from '../../api/generated/types/apiextensions-v1.ts'

/** Names that are taken: those of resources (plural, singular, short) and those of kinds (kind, list). */
interface Taken {
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

export interface Naming {
  readonly names: CustomResourceDefinitionNames
  /** Why not all names were accepted. */
  readonly conflict?: { readonly reason: string; readonly message: string }
}

const NO_NAMES: CustomResourceDefinitionNames = { plural: '', kind: '' }

function takenBy(definitions: readonly CustomResourceDefinition[]): Taken {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { status } of definitions) {
    const { plural, singular = '', shortNames = [], kind, listKind = '' } = status?.acceptedNames ?? NO_NAMES
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name)
    for (const name of [kind, listKind]) if (name) kinds.add(name)
  }
  return { resources, kinds }
}

const inUse = (name: string) => `${JSON.stringify(name)} is already in use`

/** Decides the names of a definition; `others` are the other ones of its group. */
export function settleNames(definition: CustomResourceDefinition, others: readonly CustomResourceDefinition[]): Naming {
  const taken = takenBy(others)
  const wanted = definition.spec.names
  const had = definition.status?.acceptedNames ?? NO_NAMES
  const names: CustomResourceDefinitionNames = { ...had }
  let conflict: Naming['conflict']

  function settle(field: 'plural' | 'singular' | 'kind' | 'listKind', used: ReadonlySet<string>, reason: string) {
    const name = wanted[field] ?? ''
    if (name !== had[field] && used.has(name)) conflict = { reason, message: inUse(name) }
    else if (name) names[field] = name
  }
  settle('plural', taken.resources, 'PluralConflict')
  settle('singular', taken.resources, 'SingularConflict')
  const refused = (wanted.shortNames ?? []).filter(name => !had.shortNames?.includes(name) && taken.resources.has(name))
  if (refused.length) {
    const messages = refused.map(inUse)
    const message = messages.length > 1 ? `[${messages.join(', ')}]` : messages[0]!
    conflict = { reason: 'ShortNamesConflict', message }
  } else if (wanted.shortNames) names.shortNames = wanted.shortNames
  else delete names.shortNames
  settle('kind', taken.kinds, 'KindConflict')
  settle('listKind', taken.kinds, 'ListKindConflict')
  if (wanted.categories) names.categories = wanted.categories
  else delete names.categories
  return { names, ...(conflict && { conflict }) }
}
