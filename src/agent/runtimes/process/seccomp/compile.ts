/**
 * A profile as a program of the kernel's filter machine. As with container runtimes: a rule without conditions for a
 * call goes before those with some, of which the first one whose conditions hold counts; conditions for the same
 * argument are alternatives. Names that the processor does not have are passed over. Where what is not named is kept
 * from processes, calls newer than all that are named are as if the kernel did not have them, so that programs fall
 * back. Programs for another processor (32 bits) are killed.
 */
import {
  AND,
  ARCH,
  type Architecture,
  AT_LEAST,
  AUDIT_ARCH,
  assemble,
  EQUAL,
  GREATER,
  high,
  type Instruction,
  LOAD,
  low,
  NUMBER,
  RETURN,
} from './bpf.ts'
import { callNumber } from './numbers.ts'
import { type Condition, isPermissive, KILL_THREAD, type Profile, type Rule, UNKNOWN_CALL } from './profile.ts'

/** The first number of calls of x32, which is another processor by its numbers only. */
const X32 = 0x40000000

/** A test, whose ways lead to the next instruction, out of the condition as it holds, or past the rule. */
type Way = 'on' | 'holds' | 'fails'
type Test = readonly [code: number, operand: number, whenTrue?: Way, whenFalse?: Way]

/** The program, as an array of `struct sock_filter`. Throws an `Error` where it is longer than the kernel takes. */
export function compileProfile({ verdict, rules }: Profile, architecture: Architecture): Buffer {
  const program: Instruction[] = [
    [LOAD, ARCH],
    [EQUAL, AUDIT_ARCH[architecture], 1, 0],
    [RETURN, KILL_THREAD],
    [LOAD, NUMBER],
  ]
  if (architecture === 'x64') program.push([AT_LEAST, X32, 0, 1], [RETURN, KILL_THREAD])
  const known = rules.flatMap(rule => rule.names.flatMap(name => callNumber(name, architecture) ?? []))
  if (known.length > 0 && !isPermissive(verdict) && verdict !== UNKNOWN_CALL)
    program.push([GREATER, Math.max(...known), 0, 1], [RETURN, UNKNOWN_CALL])
  for (const [number, own] of byCall(
    rules.filter(rule => rule.verdict !== verdict),
    architecture,
  )) {
    const whole = own.find(rule => rule.conditions.length === 0)
    if (whole) program.push([EQUAL, number, 0, 1], [RETURN, whole.verdict])
    else
      for (const rule of own)
        for (const each of alternatives(rule.conditions)) program.push(...ruleFor(number, each, rule.verdict))
  }
  program.push([RETURN, verdict])
  return assemble(program)
}

/** The rules for each call by its number, in order. */
function byCall(rules: readonly Rule[], architecture: Architecture): ReadonlyMap<number, readonly Rule[]> {
  const calls = new Map<number, Rule[]>()
  for (const rule of rules) {
    for (const name of new Set(rule.names)) {
      const number = callNumber(name, architecture)
      if (number === undefined) continue
      const known = calls.get(number)
      if (known) known.push(rule)
      else calls.set(number, [rule])
    }
  }
  return calls
}

/** What must hold at once, once or more often. */
function alternatives(conditions: readonly Condition[]): readonly (readonly Condition[])[] {
  const isDouble = new Set(conditions.map(each => each.index)).size < conditions.length
  return isDouble ? conditions.map(each => [each]) : [conditions]
}

/** A rule for one call; what it is not for goes past it, with the call's number at hand again. */
function ruleFor(number: number, conditions: readonly Condition[], verdict: number): Instruction[] {
  const tests = conditions.map(testsOf)
  const length = tests.flat().length + 1
  const body: Instruction[] = []
  for (const part of tests) {
    const end = body.length + part.length
    for (const [code, operand, whenTrue, whenFalse] of part) {
      const to = (way: Way | undefined) =>
        (way === 'holds' ? end : way === 'fails' ? length : body.length + 1) - body.length - 1
      body.push([code, operand, to(whenTrue), to(whenFalse)])
    }
  }
  // The number is not there any more after a test: it is loaded again.
  return [[EQUAL, number, 0, length + 1], ...body, [RETURN, verdict], [LOAD, NUMBER]]
}

/** Arguments have 64 bits, the machine 32: the high halves come first. */
function testsOf({ index, op, value, valueTwo }: Condition): readonly Test[] {
  const upper = (wide: bigint) => Number(wide >> 32n)
  const lower = (wide: bigint) => Number(wide & 0xffffffffn)
  const top: Test = [LOAD, high(index)]
  const bottom: Test = [LOAD, low(index)]
  const h = upper(value)
  const l = lower(value)
  switch (op) {
    case 'EQ':
      return [top, [EQUAL, h, 'on', 'fails'], bottom, [EQUAL, l, 'holds', 'fails']]
    case 'NE':
      return [top, [EQUAL, h, 'on', 'holds'], bottom, [EQUAL, l, 'fails', 'holds']]
    case 'GT':
    case 'GE': {
      const last: Test = [op === 'GT' ? GREATER : AT_LEAST, l, 'holds', 'fails']
      return [top, [GREATER, h, 'holds', 'on'], [EQUAL, h, 'on', 'fails'], bottom, last]
    }
    case 'LT':
    case 'LE': {
      const last: Test = [op === 'LT' ? AT_LEAST : GREATER, l, 'fails', 'holds']
      return [top, [GREATER, h, 'fails', 'on'], [EQUAL, h, 'on', 'holds'], bottom, last]
    }
    case 'MASKED_EQ': {
      const wanted = value & valueTwo
      const upperHalf: Test[] = [top, [AND, h], [EQUAL, upper(wanted), 'on', 'fails']]
      return [...upperHalf, bottom, [AND, l], [EQUAL, lower(wanted), 'holds', 'fails']]
    }
  }
}
