/** The Pod Security Standards: which checks make up a level in a version. */
import type { Check, CheckedPod, CheckPod, Violation } from './check.ts'
import { hostNamespaces, hostPathVolumes, hostPorts, hostProbes, windowsHostProcess } from './checks/host.ts'
import {
  appArmorProfile,
  procMountBaseline,
  procMountRestricted,
  seccompBaseline,
  seccompRestricted,
  seLinuxOptions,
  sysctls,
} from './checks/kernel.ts'
import {
  allowPrivilegeEscalation,
  capabilitiesBaseline,
  capabilitiesRestricted,
  privileged,
  runAsNonRoot,
  runAsUser,
} from './checks/privileges.ts'
import { restrictedVolumes } from './checks/volumes.ts'
import type { LevelVersion } from './policy.ts'

/** Every check. Messages name those of the baseline first, each group in the order of its ids. */
export const CHECKS: readonly Check[] = [
  allowPrivilegeEscalation,
  appArmorProfile,
  capabilitiesBaseline,
  capabilitiesRestricted,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMountBaseline,
  procMountRestricted,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seLinuxOptions,
  seccompBaseline,
  seccompRestricted,
  sysctls,
  windowsHostProcess,
]

/** The newest version in which anything changed. */
const NEWEST = Math.max(...CHECKS.flatMap(({ versions }) => versions.map(([minor]) => minor)))

const formIn = ({ versions }: Check, minor: number) => versions.findLast(([from]) => from <= minor)?.[1]

function checksOf({ level, version }: LevelVersion): CheckPod[] {
  if (level === 'privileged') return []
  const minor = version === 'latest' ? NEWEST : Math.min(version, NEWEST)
  const ordered = [...CHECKS].sort((a, b) =>
    a.level === b.level ? (a.id < b.id ? -1 : 1) : a.level === 'baseline' ? -1 : 1,
  )
  const active = ordered.filter(check => formIn(check, minor) && (level === 'restricted' || check.level === 'baseline'))
  const overridden = new Set(active.map(check => check.overrides))
  return active.filter(check => !overridden.has(check.id)).map(check => formIn(check, minor)!)
}

/** Gives the violations of a pod, level by level; the checks of each are looked up once. */
export function podStandards(): (level: LevelVersion, pod: CheckedPod) => Violation[] {
  const known = new Map<string, readonly CheckPod[]>()
  return (level, pod) => {
    const key = `${level.level}:${level.version === 'latest' ? NEWEST : Math.min(level.version, NEWEST)}`
    let checks = known.get(key)
    if (!checks) known.set(key, (checks = checksOf(level)))
    return checks.flatMap(check => check(pod) ?? [])
  }
}

/** `reason (detail), reason (detail)`. */
export const describeViolations = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ')
