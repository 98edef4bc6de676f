/** What a machine runs on, and the command that starts one. Both give it two folders of this machine and a channel. */
import { closeSync, existsSync, openSync } from 'node:fs'
import { type Disk, diskMissing, openDisk } from './disk.ts'
import { kernelMissing, openKernel } from './kernel.ts'
import { findTool, mustRun } from './tools.ts'

export interface Place {
  /** Seen read-only at /repository. */
  readonly repository: string
  /** Seen at /shared. */
  readonly shared: string
  /** What the machine changes of its disk. */
  readonly overlay: string
  readonly memoryMb: number
}

export interface Hypervisor {
  readonly name: 'kvm' | 'uml'
  /** What is missing for it on this machine; undefined when nothing is. */
  problem(): string | undefined
  /** What is made once. */
  open(): Promise<{ readonly disk: Disk; readonly kernel: string }>
  /** Makes what the machine's changes of its disk go to. */
  overlay(disk: Disk, file: string): Promise<void>
  /** The program with its arguments. It finds the channel at its descriptor 3, and says on stdout what its console says. */
  command(made: { readonly disk: Disk; readonly kernel: string }, place: Place): readonly string[]
}

const APPEND = 'rw panic=-1 quiet apparmor=1 security=apparmor systemd.unified_cgroup_hierarchy=1'

function kvmRefused(): string | undefined {
  // Page-table virtual machines: processors for kernels that were built for them, which Debian's is not.
  if (existsSync('/sys/module/kvm_pvm'))
    return 'the kernel lends virtual processors to kernels of its own kind alone (kvm_pvm)'
  try {
    closeSync(openSync('/dev/kvm', 'r+'))
    return undefined
  } catch (error) {
    return `there is no /dev/kvm that may be used (${(error as NodeJS.ErrnoException).code})`
  }
}

const share = (tag: string, path: string, more = '') => [
  '-virtfs',
  `local,path=${path},mount_tag=${tag},security_model=none,multidevs=remap${more}`,
]

/** A virtual processor of the kernel's, by QEMU. */
const kvm: Hypervisor = {
  name: 'kvm',
  problem: () =>
    kvmRefused() ??
    (findTool('qemu-system-x86_64') && findTool('qemu-img') ? diskMissing() : 'apt install qemu-system-x86 qemu-utils'),
  async open() {
    const disk = await openDisk(true)
    return { disk, kernel: disk.kernel!.file }
  },
  overlay: (disk, file) => mustRun('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', disk.image, '-F', 'raw', file]),
  command: ({ disk, kernel }, { repository, shared, overlay, memoryMb }) => [
    ...['qemu-system-x86_64', '-accel', 'kvm', '-cpu', 'host,-arch-capabilities', '-smp', '2', '-m', `${memoryMb}M`],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-kernel', kernel, '-initrd', disk.kernel!.initrd],
    ...['-append', `root=/dev/vda console=ttyS0 ${APPEND}`, '-drive', `file=${overlay},if=virtio,format=qcow2`],
    ...share('repository', repository, ',readonly=on'),
    ...share('shared', shared),
    ...['-device', 'virtio-serial', '-chardev', 'socket,id=channel,fd=3'],
    ...['-device', 'virtserialport,chardev=channel,name=machine'],
  ],
}

/** User-mode Linux: no virtual processor, one core, slower calls of the kernel. */
const uml: Hypervisor = {
  name: 'uml',
  problem: () => kernelMissing() ?? diskMissing(),
  open: async () => ({ disk: await openDisk(false), kernel: await openKernel() }),
  // It makes one itself where there is none.
  overlay: async () => {},
  command: ({ disk, kernel }, { repository, shared, overlay, memoryMb }) => [
    ...[kernel, `mem=${memoryMb}M`, `ubd0=${overlay},${disk.image}`, 'root=/dev/ubda', APPEND],
    ...['con=null', 'con0=null,fd:1', 'ssl=null', 'ssl1=fd:3', `uml_dir=${shared}`, 'umid=machine'],
    ...['machine.hypervisor=uml', `machine.repository=${repository}`, `machine.shared=${shared}`],
  ],
}

/** What this machine can run machines on, or what is missing. `TUTTI_MACHINE` chooses (`kvm`, `uml`). */
export function findHypervisor(): Hypervisor | { readonly missing: string } {
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0)
    return { missing: 'machines are made by root on Linux, x64' }
  const wanted = process.env.TUTTI_MACHINE
  const problems: string[] = []
  for (const each of [kvm, uml].filter(({ name }) => !wanted || wanted === name)) {
    const problem = each.problem()
    if (!problem) return each
    problems.push(`${each.name}: ${problem}`)
  }
  return { missing: problems.join('; ') }
}
