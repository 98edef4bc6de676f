/** What a namespace asks of its pods, by its labels (KEP-2579). */
import { type FieldError, invalid } from '../machinery/field-error.ts'

export type Level = 'privileged' | 'baseline' | 'restricted'
export type Mode = 'enforce' | 'audit' | 'warn'

/** A level as it was in a version: `latest`, or the minor of 1. */
export interface LevelVersion {
  readonly level: Level
  readonly version: number | 'latest'
}

export type Policy = Readonly<Record<Mode, LevelVersion>>

/** From the loosest to the strictest. */
export const LEVELS: readonly Level[] = ['privileged', 'baseline', 'restricted']
const PREFIX = 'pod-security.kubernetes.io/'

const isLevel = (text: string): text is Level => (LEVELS as readonly string[]).includes(text)

/** `baseline:v1.25`, `restricted:latest`. */
export const formatLevel = ({ level, version }: LevelVersion): string =>
  `${level}:${version === 'latest' ? version : `v1.${version}`}`

/** Negative, 0 or positive, as `a` is looser than, the same as or stricter than `b`. */
export const compareLevels = (a: Level, b: Level): number => LEVELS.indexOf(a) - LEVELS.indexOf(b)

/** Nothing is asked of any pod. */
export const isOpen = (policy: Policy): boolean => Object.values(policy).every(({ level }) => level === 'privileged')

/** undefined for a text that is no version. */
export function parseVersion(text: string): LevelVersion['version'] | undefined {
  if (text === 'latest') return text
  const minor = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(text)?.[1]
  return minor === undefined ? undefined : Number(minor)
}

/** The policy that labels ask for, over `defaults`, and what is wrong with them: then the strict is taken. */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy,
): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = []
  const policy: Record<Mode, LevelVersion> = { ...defaults }
  const wrong = (label: string, value: string, why: string) =>
    errors.push(invalid(`metadata.labels[${label}]`, value, why))
  for (const mode of ['enforce', 'audit', 'warn'] as const) {
    const [level, version] = [labels?.[PREFIX + mode], labels?.[`${PREFIX}${mode}-version`]]
    let next = policy[mode]
    if (level !== undefined) {
      if (!isLevel(level)) wrong(PREFIX + mode, level, `must be one of ${LEVELS.join(', ')}`)
      // A level that nobody knows is enforced as the strictest, and asked for in no other way.
      next = { ...next, level: isLevel(level) ? level : mode === 'enforce' ? 'restricted' : 'privileged' }
    }
    if (version !== undefined) {
      const parsed = parseVersion(version)
      if (parsed === undefined) wrong(`${PREFIX}${mode}-version`, version, 'must be "latest" or "v1.x"')
      next = { ...next, version: parsed ?? 'latest' }
    }
    policy[mode] = next
  }
  const enforced = labels?.[`${PREFIX}enforce`]
  const silent = labels?.[`${PREFIX}warn`] === undefined && enforced !== undefined && isLevel(enforced)
  // Who enforces without a word about warnings is warned about what makes pods, at the same level.
  if (silent && compareLevels(policy.enforce.level, policy.warn.level) > 0) {
    const keeps = labels?.[`${PREFIX}warn-version`] !== undefined
    policy.warn = { level: policy.enforce.level, version: keeps ? policy.warn.version : policy.enforce.version }
  }
  return { policy, errors }
}
