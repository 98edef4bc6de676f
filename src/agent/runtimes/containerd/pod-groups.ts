/**
 * Control groups of pods, above those that runc makes for their containers, with the pod's own limits. containerd leaves
 * them behind when a pod is gone.
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
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
  /** Removes what is empty of it. */
  remove(note: SandboxNote): void
  /** Removes all that is empty. */
  removeAll(): void
}

const MOUNT = '/sys/fs/cgroup'

/** Every hierarchy: v2's own, or each of v1. */
function hierarchies(): string[] {
  if (existsSync(join(MOUNT, 'cgroup.controllers'))) return [MOUNT]
  return readdirSync(MOUNT)
    .map(name => join(MOUNT, name))
    .filter(path => existsSync(join(path, 'cgroup.procs')))
}

/** Children first; what is in use stays. */
function removeTree(path: string) {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(path, entry.name))
    rmdirSync(path)
  } catch {
    // Gone, or something runs in it.
  }
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
      remove: none,
      removeAll: none,
    }
  }
  const cgroups = openCgroups(root)
  const removeFrom = (path: string) => {
    for (const hierarchy of hierarchies()) removeTree(join(hierarchy, path))
  }
  return {
    parent: note => `/${root}/${group(note)}`,
    make: note => void cgroups?.create(group(note), note.resources),
    limits: (note, container) => cgroups?.limits(join(group(note), container)),
    update: (note, resources) => cgroups?.update(group(note), resources),
    remove: note => removeFrom(join(root, group(note))),
    removeAll: () => removeFrom(root),
  }
}
