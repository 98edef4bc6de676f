import { type Environment, environment, LANGUAGE } from './environment.ts'
import { AUTHORIZATION } from './library/authorizer.ts'
import { NAMED_FORMATS } from './library/formats.ts'
import { JSON_PATCH_KEY } from './library/json-patch-key.ts'
import { LIST_EXTENSIONS } from './library/list-extensions.ts'
import { LISTS } from './library/lists.ts'
import { CIDR, IP, NETWORK } from './library/network.ts'
import { QUANTITIES } from './library/quantities.ts'
import { REGEX } from './library/regex.ts'
import { SEMVERS } from './library/semver.ts'
import { SETS } from './library/sets.ts'
import { STRINGS } from './library/strings.ts'
import { URLS } from './library/urls.ts'
import { type CelType, DYN, objectType, STRING } from './types.ts'

const LIBRARIES = [
  ...LANGUAGE,
  URLS,
  REGEX,
  LISTS,
  AUTHORIZATION,
  QUANTITIES,
  STRINGS,
  SETS,
  NETWORK,
  NAMED_FORMATS,
  SEMVERS,
  LIST_EXTENSIONS,
]

/**
 * The language with everything that Kubernetes adds to it: what every expression of the API may use. Declare variables
 * with `extend`. Made once; shared by all.
 */
export const KUBERNETES = environment(
  LIBRARIES,
  [IP, CIDR].map(type => [type.name, type]),
)

/** `Object`, `Object.spec`, …: what mutations build. Every field may hold anything. */
class MutationTypes extends Map<string, CelType> {
  override get(name: string): CelType | undefined {
    const known = super.get(name)
    if (known !== undefined || (name !== OBJECT && !name.startsWith(`${OBJECT}.`))) return known
    return objectType(name, () => DYN)
  }
}

const OBJECT = 'Object'

/** The type of fields that a JSON patch does not have: nothing fits it. */
const NAMELESS = objectType('', () => undefined)

/** An operation of a JSON patch. */
export const JSON_PATCH: CelType = objectType('JSONPatch', field => {
  if (field === 'op' || field === 'path' || field === 'from') return STRING
  return field === 'value' ? DYN : NAMELESS
})

/** What a mutation by server-side apply must give. */
export const APPLY_OBJECT: CelType = objectType(OBJECT, () => DYN)

/** The same for expressions that change objects. */
export const KUBERNETES_MUTATIONS: Environment = {
  ...environment([...LIBRARIES, JSON_PATCH_KEY]),
  types: new MutationTypes([...KUBERNETES.types, ['JSONPatch', JSON_PATCH]]),
}
