/**
 * Profiles of system calls of one's own (`Localhost`): files of the form of OCI runtimes, in which one says what happens
 * to which calls (OCI runtime specification, "Seccomp"). What it does not name is passed over, as by those.
 */
import { readFileSync } from 'node:fs'
import { ALLOW, ENOSYS, EPERM, ERROR } from './bpf.ts'

const COMPARISONS = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'] as const
export type Comparison = (typeof COMPARISONS)[number]

/** What one argument of a call must be. */
export interface Condition {
  /** Of the argument, from 0 on. */
  readonly index: number
  readonly op: Comparison
  /** The mask, for `MASKED_EQ`. */
  readonly value: bigint
  /** For `MASKED_EQ`: what is left of the argument. */
  readonly valueTwo: bigint
}

export interface Rule {
  readonly names: readonly string[]
  /** The kernel's verdict. */
  readonly verdict: number
  /** All of them must hold; without one, it is for every call of these names. */
  readonly conditions: readonly Condition[]
}

export interface Profile {
  /** For calls that no rule is for. */
  readonly verdict: number
  readonly rules: readonly Rule[]
  /** Of seccomp(2). */
  readonly flags: number
}

export const KILL_THREAD = 0
const TRACE = 0x7ff00000
const LOG = 0x7ffc0000

const VERDICTS: Readonly<Record<string, number>> = {
  KILL: KILL_THREAD,
  KILL_THREAD,
  KILL_PROCESS: 0x80000000,
  TRAP: 0x00030000,
  ERRNO: ERROR,
  TRACE,
  LOG,
  ALLOW,
}
/** Those with a number of the profile's own. */
const NUMBERED = [ERROR, TRACE]

/** They do not keep a call from a process: calls that a profile could not know are left to it too. */
export const isPermissive = (verdict: number): boolean =>
  [ALLOW, LOG].includes(verdict) || (verdict & 0xffff0000) >>> 0 === TRACE
/** What a call answers that the kernel does not have. */
export const UNKNOWN_CALL = ERROR | ENOSYS

/** TSYNC is for programs of several threads, which the one that sets the filter is not. */
const FLAGS: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
}
const LIMIT = 1 << 20

type Fields = Readonly<Record<string, unknown>>

/** Reads a profile's file. Throws an `Error` that names it and says what is wrong with it. */
export function readProfile(file: string): Profile {
  const failed = (why: string, cause?: unknown) =>
    new Error(`cannot load seccomp profile ${JSON.stringify(file)}: ${why}`, { cause })
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw failed(code === 'ENOENT' ? 'no such file' : message, error)
  }
  if (bytes.length > LIMIT) throw failed(`it is larger than ${LIMIT} bytes`)
  try {
    return parseProfile(bytes.toString())
  } catch (error) {
    throw failed((error as Error).message, error)
  }
}

/** Reads a profile. Throws an `Error` that names the field. */
export function parseProfile(text: string): Profile {
  // Numbers of arguments have 64 bits: they are taken as they are written.
  const root = JSON.parse(text, (key, value, context?: { source?: string }) =>
    typeof value === 'number' && (key === 'value' || key === 'valueTwo') ? context?.source : value,
  ) as unknown
  const profile = fields(root, 'it')
  return {
    verdict: verdictOf(profile.defaultAction, profile.defaultErrnoRet, 'defaultAction'),
    rules: list(profile.syscalls, 'syscalls').map((each, at) => ruleOf(each, `syscalls[${at}]`)),
    flags: list(profile.flags, 'flags').reduce<number>((all, each) => all | oneOf(FLAGS, each, 'flags', each), 0),
  }
}

function ruleOf(value: unknown, path: string): Rule {
  const rule = fields(value, path)
  const names = list(rule.names, `${path}.names`)
  if (names.length === 0 || !names.every(name => typeof name === 'string' && name !== ''))
    throw new Error(`${path}.names must be names of system calls`)
  return {
    names: names as string[],
    verdict: verdictOf(rule.action, rule.errnoRet, `${path}.action`),
    conditions: list(rule.args, `${path}.args`).map((each, at) => conditionOf(each, `${path}.args[${at}]`)),
  }
}

function conditionOf(value: unknown, path: string): Condition {
  const condition = fields(value, path)
  const { index, op } = condition
  if (!isWhole(index, 5)) throw new Error(`${path}.index must be 0 to 5: ${JSON.stringify(index)}`)
  const name = typeof op === 'string' ? op.replace(/^SCMP_CMP_/, '') : ''
  const comparison = COMPARISONS.find(each => each === name)
  if (!comparison) throw new Error(`${path}.op is not known: ${JSON.stringify(op)}`)
  return {
    index,
    op: comparison,
    value: wide(condition.value, `${path}.value`),
    valueTwo: wide(condition.valueTwo, `${path}.valueTwo`),
  }
}

function verdictOf(action: unknown, number: unknown, path: string): number {
  if (action === 'SCMP_ACT_NOTIFY')
    throw new Error(`${path} SCMP_ACT_NOTIFY needs a program that is asked, and none is`)
  const name = typeof action === 'string' ? action.replace(/^SCMP_ACT_/, '') : ''
  const verdict = oneOf(VERDICTS, name, path, action)
  if (!NUMBERED.includes(verdict)) return verdict
  const own = number ?? EPERM
  if (!isWhole(own, 0xffff)) throw new Error(`the number of ${path} must be 0 to 65535: ${JSON.stringify(number)}`)
  return (verdict | own) >>> 0
}

const isWhole = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most

function fields(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new Error(`${path} must be an object`)
}

function list(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw new Error(`${path} must be a list`)
}

function oneOf(known: Readonly<Record<string, number>>, name: unknown, path: string, shown: unknown): number {
  if (typeof name === 'string' && Object.hasOwn(known, name)) return known[name]!
  throw new Error(`${path} is not known: ${JSON.stringify(shown)}`)
}

function wide(value: unknown, path: string): bigint {
  if (value === undefined || value === null) return 0n
  if (typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) < 1n << 64n) return BigInt(value)
  throw new Error(`${path} must be a whole number of 64 bits: ${String(value)}`)
}
