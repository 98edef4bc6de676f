import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from '../../names.ts'
import { fn, type Library, method, overload } from '../declarations.ts'
import { listOf, optionalOf, STRING, sealedType } from '../types.ts'
import { ArrayList, Opaque, Optional, sizeForCost, type Value } from '../values.ts'
import { parseTimestamp } from './timestamp-text.ts'
import { parseUri } from './uri.ts'

export const FORMAT = sealedType('kubernetes.NamedFormat')

type Check = (text: string) => readonly string[]

/** A format that texts can be checked against. */
export class FormatValue extends Opaque {
  readonly typeName = 'kubernetes.NamedFormat'
  readonly name: string
  readonly check: Check
  /** How long a pattern the check counts as. */
  readonly patternSize: number
  constructor(name: string, check: Check, patternSize: number) {
    super()
    this.name = name
    this.check = check
    this.patternSize = patternSize
  }
  equals(other: FormatValue): boolean {
    return other.name === this.name
  }
}

/** A prefix of a name may end in a dash: something will follow it. */
const prefix =
  (check: Check): Check =>
  text =>
    check(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text)

const uri: Check = text => {
  const parsed = parseUri(text)
  return 'problem' in parsed ? [parsed.problem] : []
}

const pattern =
  (expression: RegExp, problem: string): Check =>
  text =>
    expression.test(text) ? [] : [problem]

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/

const date: Check = text => (parseTimestamp(`${text}T00:00:00Z`) === undefined ? ['invalid date'] : [])
const datetime: Check = text =>
  parseTimestamp(text.replace('t', 'T').replace('z', 'Z')) === undefined ? ['invalid datetime'] : []

const FORMATS: Readonly<Record<string, FormatValue>> = {
  dns1123Label: new FormatValue('DNS1123Label', isDns1123Label, 30),
  dns1123Subdomain: new FormatValue('DNS1123Subdomain', isDns1123Subdomain, 60),
  dns1035Label: new FormatValue('DNS1035Label', isDns1035Label, 30),
  qualifiedName: new FormatValue('QualifiedName', isQualifiedName, 60),
  dns1123LabelPrefix: new FormatValue('DNS1123LabelPrefix', prefix(isDns1123Label), 30),
  dns1123SubdomainPrefix: new FormatValue('DNS1123SubdomainPrefix', prefix(isDns1123Subdomain), 60),
  dns1035LabelPrefix: new FormatValue('DNS1035LabelPrefix', prefix(isDns1035Label), 30),
  labelValue: new FormatValue('LabelValue', isLabelValue, 40),
  uri: new FormatValue('URI', uri, 1104),
  uuid: new FormatValue('uuid', pattern(UUID, 'does not match the UUID format'), 72),
  byte: new FormatValue('byte', pattern(BASE64, 'invalid base64'), 84),
  date: new FormatValue('date', date, 72),
  datetime: new FormatValue('datetime', datetime, 72),
}

function named(name: string): Optional {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined
  return format === undefined ? Optional.none : new Optional(format)
}

function validate(format: FormatValue, text: string): Optional {
  const problems = format.check(text)
  return problems.length === 0 ? Optional.none : new Optional(new ArrayList([...problems]))
}

function validateCost([format, text]: readonly Value[]): number {
  const size = format instanceof FormatValue ? format.patternSize : 0
  return Math.ceil((1 + sizeForCost(text as Value)) * 0.1) * Math.ceil(size * 0.25)
}

/** Kubernetes' named formats. */
export const NAMED_FORMATS: Library = [
  fn('format.named', overload('format-named', [STRING], optionalOf(FORMAT), named)),
  fn('validate', method('format-validate', [FORMAT, STRING], optionalOf(listOf(STRING)), validate, validateCost)),
  ...Object.entries(FORMATS).map(([name, format]) =>
    fn(
      `format.${name}`,
      overload(`format-${name}`, [], FORMAT, () => format),
    ),
  ),
]
