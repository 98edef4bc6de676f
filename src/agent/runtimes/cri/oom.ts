/**
 * Ends for want of memory that a runtime has missed: on cgroup v2 a container's group is gone at once when systemd made
 * it, and its count with it; that of the pod above it (memory.events counts all below) stays.
 */
import type { SandboxNote } from './config.ts'
import type { KnownContainer, KnownSandbox } from './status.ts'

const KILLED = 137
/** What a runtime says that does not know better. */
const UNKNOWN = 'Error'
const OOM = 'OOMKilled'

const withReason = (container: KnownContainer, reason: string): KnownContainer => ({
  ...container,
  status: { ...container.status, reason },
})

/** `kills`: how many processes of a pod the kernel has killed for want of memory. */
export function createOomReasons(kills: (note: SandboxNote) => number | undefined) {
  /** By sandbox: as many as there had been. */
  const counted = new Map<string, number>()
  return {
    /** A sandbox is seen: what was killed in it before explains nothing that comes. */
    seen({ note, status: { id } }: KnownSandbox) {
      if (!counted.has(id)) counted.set(id, kills(note) ?? 0)
    },
    /** A container that has just ended, with the kernel's reason where the runtime has none. */
    explain(container: KnownContainer, { note, status: { id } }: KnownSandbox): KnownContainer {
      const before = counted.get(id) ?? 0
      const now = kills(note) ?? before
      counted.set(id, now)
      const { exitCode, reason } = container.status
      return exitCode === KILLED && reason === UNKNOWN && now > before ? withReason(container, OOM) : container
    },
    /** One that was told with that reason keeps it when it is read again; what the runtime learns later counts. */
    keep: (container: KnownContainer, before: KnownContainer): KnownContainer =>
      before.status.reason === OOM && container.status.reason === UNKNOWN ? withReason(container, OOM) : container,
    forget: (id: string) => void counted.delete(id),
  }
}
