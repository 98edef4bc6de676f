/**
 * Control groups of pods, above those that runc makes for their containers, with the pod's own limits. containerd leaves
 * them behind when a pod is gone.
 */
import { join } from 'node:path'
import { runTool } from '../../../lib/run-tool.ts'
import { openCgroups } from '../../cgroups/cgroups.ts'
import { podGroup } from '../../cgroups/pod-group.ts'
import type { GroupUsage } from '../../cgroups/reading.ts'
import { openSlices } from '../../cgroups/slices.ts'
import type { SandboxNote } from '../cri/config.ts'
import type { Resources } from '../runtime.ts'

export interface PodGroups {
  /** Of the kernel's interface; undefined where no groups can be made. */
  readonly version: 1 | 2 | undefined
  /** As containerd takes it. */
  parent(note: SandboxNote): string
  /** Makes a pod's group with its limits. */
  make(note: SandboxNote): Promise<void>
  /** Changes its limits; what is not named stays. */
  update(note: SandboxNote, resources: Resources): Promise<void>
  /** Limits of one of its containers, as the kernel has them. */
  limits(note: SandboxNote, container: string): Resources | undefined
  /** What the kernel tells of one of its containers. */
  usage(note: SandboxNote, container: string): GroupUsage | undefined
  /** Processes of a pod that the kernel has killed for want of memory. */
  oomKills(note: SandboxNote): number | undefined
  /** Removes what is empty of it. */
  remove(note: SandboxNote): Promise<void>
  /** Removes all that is empty. */
  removeAll(): Promise<void>
}

/** `root` is this node's own group, e.g. `tutti/node-1`. */
export function openPodGroups(root: string, driver: 'cgroupfs' | 'systemd'): PodGroups {
  const group = ({ qosClass, uid }: SandboxNote) => podGroup(qosClass, uid)
  if (driver === 'systemd') {
    const slices = openSlices(root, runTool)
    const scope = (note: SandboxNote, container: string) => join(group(note), `cri-containerd-${container}.scope`)
    return {
      version: slices.version,
      parent: note => slices.name(group(note)),
      make: note => slices.create(group(note), note.resources),
      update: (note, resources) => slices.update(group(note), resources),
      limits: (note, container) => slices.limits(scope(note, container)),
      usage: (note, container) => slices.usage(scope(note, container)),
      oomKills: note => slices.oomKills(group(note)),
      remove: note => slices.remove(group(note)),
      async removeAll() {
        await slices.remove('')
        // Those of processes, which systemd does not make.
        openCgroups(root)?.remove('')
      },
    }
  }
  const cgroups = openCgroups(root)
  return {
    version: cgroups?.version,
    parent: note => `/${root}/${group(note)}`,
    make: async note => void cgroups?.create(group(note), note.resources),
    limits: (note, container) => cgroups?.limits(join(group(note), container)),
    usage: (note, container) => cgroups?.usage(join(group(note), container)),
    oomKills: note => cgroups?.oomKills(group(note)),
    update: async (note, resources) => cgroups?.update(group(note), resources),
    remove: async note => void cgroups?.remove(group(note)),
    removeAll: async () => void cgroups?.remove(''),
  }
}
