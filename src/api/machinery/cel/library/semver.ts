import { fn, type Library, method, overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import { BOOL, INT, STRING, sealedType } from '../types.ts'
import { Opaque } from '../values.ts'

export const SEMVER = sealedType('kubernetes.Semver')

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly pre: readonly string[]
  readonly build: readonly string[]
}

/** A version in the sense of https://semver.org. */
export class SemverValue extends Opaque {
  readonly typeName = 'kubernetes.Semver'
  readonly version: Version
  constructor(version: Version) {
    super()
    this.version = version
  }
  equals(other: SemverValue): boolean {
    return compareVersions(this.version, other.version) === 0
  }
  override text(): string {
    const { numbers, pre, build } = this.version
    const tail = (sign: string, parts: readonly string[]) => (parts.length > 0 ? sign + parts.join('.') : '')
    return numbers.join('.') + tail('-', pre) + tail('+', build)
  }
}

const NAMES = ['Major', 'Minor', 'Patch']
const quoted = (text: string) => JSON.stringify(text)

/** The version, or what is wrong with the text. */
function parseVersion(text: string): Version | string {
  if (text === '') return 'Version string empty'
  const parts = splitThree(text)
  if (parts.length !== 3) return 'No Major.Minor.Patch elements found'
  const numbers: bigint[] = []
  const build = cut(parts[2] as string, '+')
  const pre = cut(build.head, '-')
  for (const [index, part] of [parts[0] as string, parts[1] as string, pre.head].entries()) {
    if (!/^\d*$/.test(part))
      return `Invalid character(s) found in ${NAMES[index]?.toLowerCase()} number ${quoted(part)}`
    if (part.length > 1 && part.startsWith('0'))
      return `${NAMES[index]} number must not contain leading zeroes ${quoted(part)}`
    if (part === '' || BigInt(part) >= 2n ** 64n)
      return `strconv.ParseUint: parsing ${quoted(part)}: ${part === '' ? 'invalid syntax' : 'value out of range'}`
    numbers.push(BigInt(part))
  }
  const problem = tailProblem(pre.tail, build.tail)
  if (problem !== undefined) return problem
  return { numbers: numbers as [bigint, bigint, bigint], pre: pre.tail ?? [], build: build.tail ?? [] }
}

function splitThree(text: string): string[] {
  const [first, second, ...rest] = text.split('.')
  return rest.length === 0
    ? [first, second].filter(part => part !== undefined)
    : [first as string, second as string, rest.join('.')]
}

function cut(text: string, sign: string): { head: string; tail: string[] | undefined } {
  const at = text.indexOf(sign)
  return at < 0 ? { head: text, tail: undefined } : { head: text.slice(0, at), tail: text.slice(at + 1).split('.') }
}

function tailProblem(pre: readonly string[] | undefined, build: readonly string[] | undefined): string | undefined {
  for (const part of pre ?? []) {
    if (part === '') return 'Prerelease is empty'
    if (/^\d+$/.test(part) && part.length > 1 && part.startsWith('0'))
      return `Numeric PreRelease version must not contain leading zeroes ${quoted(part)}`
    if (!/^[0-9A-Za-z-]+$/.test(part)) return `Invalid character(s) found in prerelease ${quoted(part)}`
  }
  for (const part of build ?? []) {
    if (part === '') return 'Build meta data is empty'
    if (!/^[0-9A-Za-z-]+$/.test(part)) return `Invalid character(s) found in build meta data ${quoted(part)}`
  }
  return undefined
}

function normalized(text: string): string | { problem: string } {
  const parts = splitThree(text.replace(/^v/, '')).map(part => {
    if (part.length < 2) return part
    const bare = part.replace(/^0+/, '')
    return bare === '' || !/^\d/.test(bare) ? `0${bare}` : bare
  })
  if (parts.length < 3) {
    if (/[+-]/.test(parts.at(-1) as string))
      return { problem: 'short version cannot contain PreRelease/Build meta data' }
    while (parts.length < 3) parts.push('0')
  }
  return parts.join('.')
}

function read(text: string, normalize: boolean): Version | string {
  const plain = normalize ? normalized(text) : text
  return typeof plain === 'string' ? parseVersion(plain) : plain.problem
}

function toSemver(text: string, normalize = false): SemverValue {
  const version = read(text, normalize)
  return typeof version === 'string' ? fail(version) : new SemverValue(version)
}

const isSemver = (text: string, normalize = false) => typeof read(text, normalize) !== 'string'

function compareVersions(left: Version, right: Version): number {
  for (const [index, number] of left.numbers.entries()) {
    const other = right.numbers[index] as bigint
    if (number !== other) return number < other ? -1 : 1
  }
  if (left.pre.length === 0 || right.pre.length === 0) return Math.sign(right.pre.length - left.pre.length)
  for (let at = 0; at < Math.min(left.pre.length, right.pre.length); at++) {
    const order = compareParts(left.pre[at] as string, right.pre[at] as string)
    if (order !== 0) return order
  }
  return Math.sign(left.pre.length - right.pre.length)
}

function compareParts(left: string, right: string): number {
  const [a, b] = [/^\d+$/.test(left), /^\d+$/.test(right)]
  if (a && b) return BigInt(left) < BigInt(right) ? -1 : BigInt(left) > BigInt(right) ? 1 : 0
  if (a !== b) return a ? -1 : 1
  return left < right ? -1 : left > right ? 1 : 0
}

const TWO = [SEMVER, SEMVER]
const order = (left: SemverValue, right: SemverValue) => compareVersions(left.version, right.version)
const number = (name: string, index: 0 | 1 | 2) =>
  fn(
    name,
    method(`semver_${name}`, [SEMVER], INT, ({ version }: SemverValue) => version.numbers[index]),
  )

/** Kubernetes' functions about versions. */
export const SEMVERS: Library = [
  fn(
    'semver',
    overload('string_to_semver', [STRING], SEMVER, toSemver),
    overload('string_bool_to_semver', [STRING, BOOL], SEMVER, toSemver),
  ),
  fn(
    'isSemver',
    overload('is_semver_string', [STRING], BOOL, isSemver),
    overload('is_semver_string_bool', [STRING, BOOL], BOOL, isSemver),
  ),
  fn(
    'isGreaterThan',
    method('semver_is_greater_than', TWO, BOOL, (a: SemverValue, b: SemverValue) => order(a, b) > 0),
  ),
  fn(
    'isLessThan',
    method('semver_is_less_than', TWO, BOOL, (a: SemverValue, b: SemverValue) => order(a, b) < 0),
  ),
  fn(
    'compareTo',
    method('semver_compare_to', TWO, INT, (a: SemverValue, b: SemverValue) => BigInt(order(a, b))),
  ),
  number('major', 0),
  number('minor', 1),
  number('patch', 2),
]
