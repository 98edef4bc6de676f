import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type Random, seededRandom } from '../../../../lib/random.ts'
import { type Architecture, AUDIT_ARCH } from './bpf.ts'
import { compileProfile } from './compile.ts'
import { verdictOf } from './machine.fixture.ts'
import { callNumber } from './numbers.ts'
import { type Comparison, type Condition, type Profile, parseProfile, readProfile } from './profile.ts'

const ALLOW = 0x7fff0000
const error = (number: number) => 0x00050000 | number

describe('parseProfile', () => {
  const parse = (profile: object) => parseProfile(JSON.stringify(profile))
  const withRule = (rule: object) => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mount'], ...rule }] })

  it('reads actions with their numbers, conditions of 64 bits and flags', () => {
    const text = `{
      "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"],
      "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"],
      "syscalls": [
        {"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW", "comment": "x", "includes": {}},
        {"names": ["clone"], "action": "SCMP_ACT_TRACE", "errnoRet": 7, "args": [
          {"index": 1, "value": 18446744073709551615, "valueTwo": 9007199254740993, "op": "SCMP_CMP_MASKED_EQ"}]}
      ]}`
    assert.deepEqual(parseProfile(text), {
      verdict: error(38),
      flags: 2,
      rules: [
        { names: ['read', 'no_such_call'], verdict: ALLOW, conditions: [] },
        {
          names: ['clone'],
          verdict: 0x7ff00007,
          conditions: [{ index: 1, op: 'MASKED_EQ', value: 2n ** 64n - 1n, valueTwo: 9007199254740993n }],
        },
      ],
    })
  })

  for (const [what, profile, message] of [
    ['no object', [], /^it must be an object$/],
    ['no action', {}, /^defaultAction is not known: undefined$/],
    [
      'an action that is not known',
      { defaultAction: 'SCMP_ACT_toString' },
      /^defaultAction is not known: "SCMP_ACT_to/,
    ],
    [
      'a program that is to be asked',
      withRule({ action: 'SCMP_ACT_NOTIFY' }),
      /^syscalls\[0\]\.action SCMP_ACT_NOTIFY/,
    ],
    ['no names', withRule({ names: [], action: 'SCMP_ACT_KILL' }), /^syscalls\[0\]\.names must be names/],
    [
      'a name that is a number',
      withRule({ names: [1], action: 'SCMP_ACT_KILL' }),
      /^syscalls\[0\]\.names must be names/,
    ],
    ['syscalls that are no list', { defaultAction: 'SCMP_ACT_LOG', syscalls: {} }, /^syscalls must be a list$/],
    ['a flag that is not known', { defaultAction: 'SCMP_ACT_LOG', flags: ['X'] }, /^flags is not known: "X"$/],
    [
      'a number that is none',
      withRule({ action: 'SCMP_ACT_ERRNO', errnoRet: -1 }),
      /^the number of .*action must be 0 to/,
    ],
    [
      'an argument that calls do not have',
      withRule({ action: 'SCMP_ACT_KILL', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }),
      /^syscalls\[0\]\.args\[0\]\.index must be 0 to 5: 6$/,
    ],
    [
      'a comparison that is not known',
      withRule({ action: 'SCMP_ACT_KILL', args: [{ index: 0, value: 0, op: 'EQUALS' }] }),
      /^syscalls\[0\]\.args\[0\]\.op is not known: "EQUALS"$/,
    ],
    [
      'a value that is negative',
      withRule({ action: 'SCMP_ACT_KILL', args: [{ index: 0, value: -1, op: 'SCMP_CMP_EQ' }] }),
      /^syscalls\[0\]\.args\[0\]\.value must be a whole number of 64 bits: -1$/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => parse(profile), { message }))
  }
})

describe('readProfile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-profile-'))
  after(() => rmSync(folder, { recursive: true }))
  for (const [what, content, message] of [
    ['is missing', undefined, /^cannot load seccomp profile ".*\/is missing": no such file$/],
    ['is not JSON', '{', /^cannot load seccomp profile ".*\/is not JSON": .*JSON/],
    ['is too large', ' '.repeat(1_100_000), /: it is larger than 1048576 bytes$/],
  ] as const) {
    it(`says which file ${what}`, () => {
      const file = join(folder, what)
      if (content !== undefined) writeFileSync(file, content)
      assert.throws(() => readProfile(file), { message })
    })
  }
})

/** What a profile says of a call, in its own words. */
function meaning(
  { verdict, rules }: Profile,
  architecture: Architecture,
  call: number,
  args: readonly bigint[],
): number {
  const numbers = rules.flatMap(rule => rule.names).flatMap(name => callNumber(name, architecture) ?? [])
  const permissive = verdict === ALLOW || verdict === 0x7ffc0000 || verdict >>> 16 === 0x7ff0
  const newer = numbers.length > 0 && call > Math.max(...numbers)
  if (newer && !permissive && verdict !== error(38)) return error(38)
  const mine = rules.filter(
    rule => rule.verdict !== verdict && rule.names.some(name => callNumber(name, architecture) === call),
  )
  const whole = mine.find(rule => rule.conditions.length === 0)
  if (whole) return whole.verdict
  const found = mine.find(({ conditions }) => {
    const isDouble = conditions.some((one, at) => conditions.findIndex(other => other.index === one.index) !== at)
    const holds = (each: Condition) => applies(each, args[each.index]!)
    return isDouble ? conditions.some(holds) : conditions.every(holds)
  })
  return found ? found.verdict : verdict
}

function applies({ op, value, valueTwo }: Condition, found: bigint): boolean {
  const compare: Readonly<Record<Comparison, boolean>> = {
    EQ: found === value,
    NE: found !== value,
    LT: found < value,
    LE: found <= value,
    GE: found >= value,
    GT: found > value,
    MASKED_EQ: (found & value) === (value & valueTwo),
  }
  return compare[op]
}

/** Calls of both processors, of one of them, and one that there is not. */
const NAMES = ['read', 'open', 'clone', 'socket', 'personality', 'clone3', 'renameat', 'openat2', 'ioctl', 'no_such']
const VERDICTS = [ALLOW, error(1), error(38), error(13), 0, 0x80000000, 0x30000, 0x7ffc0000, 0x7ff00001]

function chance({ number }: Random) {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(number() * all.length)]!
  /** Near each other, so that they are often equal, with something in both halves. */
  const wide = (): bigint =>
    (BigInt(pick([0, 0, 1, 0xffffffff])) << 32n) | BigInt(pick([0, 1, 2, 0x80000000, 0xffffffff]))
  const some = <T>(most: number, make: () => T) => Array.from({ length: Math.floor(number() * (most + 1)) }, make)
  const condition = (): Condition => ({
    index: pick([0, 1, 5]),
    op: pick(['EQ', 'NE', 'LT', 'LE', 'GE', 'GT', 'MASKED_EQ'] as const),
    value: wide(),
    valueTwo: wide(),
  })
  const profile = (): Profile => ({
    verdict: pick(VERDICTS),
    flags: 0,
    rules: some(6, () => ({
      names: [pick(NAMES), ...some(2, () => pick(NAMES))],
      verdict: pick(VERDICTS),
      conditions: pick([[], some(3, condition)]),
    })),
  })
  return { pick, wide, profile }
}

describe('compileProfile', () => {
  for (const architecture of Object.keys(AUDIT_ARCH) as Architecture[]) {
    const machine = AUDIT_ARCH[architecture]
    it(`answers what the profile says (${architecture})`, () => {
      for (let seed = 1; seed <= 400; seed++) {
        const { pick, wide, profile } = chance(seededRandom(seed))
        const one = profile()
        const program = compileProfile(one, architecture)
        for (let turn = 0; turn < 40; turn++) {
          const call = callNumber(pick(NAMES), architecture) ?? pick([1, 439, 470])
          const args = Array.from({ length: 6 }, wide)
          assert.equal(
            verdictOf(program, machine, call, args),
            meaning(one, architecture, call, args),
            `seed ${seed}, call ${call} with ${args}`,
          )
        }
      }
    })

    it(`kills programs for another processor (${architecture})`, () => {
      const program = compileProfile({ verdict: ALLOW, flags: 0, rules: [] }, architecture)
      assert.equal(verdictOf(program, machine, 1), ALLOW)
      assert.equal(verdictOf(program, 0x40000003, 1), 0)
      if (architecture === 'x64') assert.equal(verdictOf(program, machine, 0x40000001), 0)
    })
  }

  it('refuses a profile that the kernel would not take', () => {
    const conditions = [0, 1, 2, 3, 4, 5].map(index => ({ index, op: 'GT' as const, value: 1n, valueTwo: 0n }))
    const rules = Array.from({ length: 200 }, () => ({ names: ['read'], verdict: ALLOW, conditions }))
    assert.throws(() => compileProfile({ verdict: error(1), flags: 0, rules }, 'x64'), /too long: \d+ instructions/)
  })
})
