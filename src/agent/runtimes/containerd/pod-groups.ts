/**
 * Control groups of pods, above those that runc makes for their containers, with the pod's own limits. containerd leaves
 * them behind when a pod is gone.
 */
import { join } from 'node:path'
import { openCgroups } from '../../cgroups/cgroups.ts'
import { podGroup } from '../../cgroups/pod-group.ts'
import type { SandboxNote } from '../cri/config.ts'
import type { Resources } from '../runtime.ts'

export interface PodGroups {
  /** As containerd takes it. */
  parent(note: SandboxNote): string
  /** Makes a pod's group with its limits. */
  make(note: SandboxNote): void
  /** Changes its limits; what is not named stays. */
  update(note: SandboxNote, resources: Resources): void
  /** Limits of one of its containers, as the kernel has them. */
  limits(note: SandboxNote, container: string): Resources | undefined
  /** Processes of one of its containers. */
  processes(note: SandboxNote, container: string): number | undefined
  /** Removes what is empty of it. */
  remove(note: SandboxNote): void
  /** Removes all that is empty. */
  removeAll(): void
}

/** `root` is this node's own group, e.g. `tutti/node-1`. */
export function openPodGroups(root: string, driver: 'cgroupfs' | 'systemd'): PodGroups {
  const group = ({ qosClass, uid }: SandboxNote) => podGroup(qosClass, uid)
  if (driver === 'systemd') {
    // A slice's name is its path; dashes in its parts are written as underscores. systemd removes empty ones itself.
    const part = (text: string) => text.replaceAll('-', '_')
    const base = root.split('/').map(part).join('-')
    const none = () => {}
    return {
      parent: note => `${base}-${group(note).split('/').map(part).join('-')}.slice`,
      make: none,
      update: none,
      limits: () => undefined,
      processes: () => undefined,
      remove: none,
      removeAll: none,
    }
  }
  const cgroups = openCgroups(root)
  return {
    parent: note => `/${root}/${group(note)}`,
    make: note => void cgroups?.create(group(note), note.resources),
    limits: (note, container) => cgroups?.limits(join(group(note), container)),
    processes: (note, container) => cgroups?.usage(join(group(note), container))?.processes,
    update: (note, resources) => cgroups?.update(group(note), resources),
    remove: note => void cgroups?.remove(group(note)),
    removeAll: () => void cgroups?.remove(''),
  }
}
