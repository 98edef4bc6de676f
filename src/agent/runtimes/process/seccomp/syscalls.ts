/**
 * System calls that container runtimes keep from processes by default: those that change the machine, and those that
 * have let processes out of containers before (https://docs.docker.com/engine/security/seccomp/).
 */

/** Numbers of a call by processor (`process.arch`); one that it does not have is left out. */
export interface Syscall {
  readonly x64?: number
  readonly arm64?: number
}

export interface BlockedSyscall extends Syscall {
  readonly name: string
  /** Capabilities of which each lets a process have it nevertheless. */
  readonly unless: readonly string[]
}

const blocked = (name: string, x64: number | undefined, arm64: number | undefined, ...unless: string[]) => ({
  name,
  ...(x64 === undefined ? {} : { x64 }),
  ...(arm64 === undefined ? {} : { arm64 }),
  unless,
})
/** Calls since Linux 5.1 have the same number everywhere. */
const recent = (name: string, number: number, ...unless: string[]) => blocked(name, number, number, ...unless)

export const BLOCKED: readonly BlockedSyscall[] = [
  blocked('acct', 163, 89, 'sys_pacct'),
  blocked('add_key', 248, 217),
  blocked('bpf', 321, 280, 'sys_admin', 'bpf'),
  blocked('chroot', 161, 51, 'sys_chroot'),
  blocked('clock_settime', 227, 112, 'sys_time'),
  blocked('delete_module', 176, 106, 'sys_module'),
  blocked('fanotify_init', 300, 262, 'sys_admin'),
  blocked('finit_module', 313, 273, 'sys_module'),
  blocked('get_mempolicy', 239, 236, 'sys_nice'),
  blocked('init_module', 175, 105, 'sys_module'),
  blocked('ioperm', 173, undefined, 'sys_rawio'),
  blocked('iopl', 172, undefined, 'sys_rawio'),
  blocked('kcmp', 312, 272, 'sys_ptrace'),
  blocked('kexec_file_load', 320, 294),
  blocked('kexec_load', 246, 104),
  blocked('keyctl', 250, 219),
  blocked('lookup_dcookie', 212, 18, 'sys_admin'),
  blocked('mbind', 237, 235, 'sys_nice'),
  blocked('migrate_pages', 256, 238),
  blocked('mount', 165, 40, 'sys_admin'),
  blocked('move_pages', 279, 239),
  blocked('open_by_handle_at', 304, 265, 'dac_read_search'),
  blocked('perf_event_open', 298, 241, 'sys_admin', 'perfmon'),
  blocked('pivot_root', 155, 41),
  blocked('quotactl', 179, 60, 'sys_admin'),
  blocked('reboot', 169, 142, 'sys_boot'),
  blocked('request_key', 249, 218),
  blocked('set_mempolicy', 238, 237, 'sys_nice'),
  blocked('setdomainname', 171, 162, 'sys_admin'),
  blocked('sethostname', 170, 161, 'sys_admin'),
  blocked('setns', 308, 268, 'sys_admin'),
  blocked('settimeofday', 164, 170, 'sys_time'),
  blocked('swapoff', 168, 225),
  blocked('swapon', 167, 224),
  blocked('sysfs', 139, undefined),
  blocked('syslog', 103, 116, 'sys_admin', 'syslog'),
  blocked('umount2', 166, 39, 'sys_admin'),
  blocked('unshare', 272, 97, 'sys_admin'),
  blocked('uselib', 134, undefined),
  blocked('userfaultfd', 323, 282),
  blocked('ustat', 136, undefined),
  blocked('vhangup', 153, 58, 'sys_tty_config'),
  recent('io_uring_setup', 425),
  recent('io_uring_enter', 426),
  recent('io_uring_register', 427),
  recent('open_tree', 428, 'sys_admin'),
  recent('move_mount', 429, 'sys_admin'),
  recent('fsopen', 430, 'sys_admin'),
  recent('fsconfig', 431, 'sys_admin'),
  recent('fsmount', 432, 'sys_admin'),
  recent('fspick', 433, 'sys_admin'),
  recent('pidfd_getfd', 438, 'sys_ptrace'),
  recent('process_madvise', 440, 'sys_ptrace'),
  recent('mount_setattr', 442, 'sys_admin'),
  recent('quotactl_fd', 443, 'sys_admin'),
  recent('set_mempolicy_home_node', 450, 'sys_nice'),
]

/** The last call that was looked at (removexattrat, Linux 6.13): what is newer is as if the kernel did not have it. */
export const LATEST = 466

/** Calls that are told apart by their first argument, and the one that sets a filter. */
export const CLONE: Required<Syscall> = { x64: 56, arm64: 220 }
export const CLONE3 = 435
export const PERSONALITY: Required<Syscall> = { x64: 135, arm64: 92 }
export const SOCKET: Required<Syscall> = { x64: 41, arm64: 198 }
export const SECCOMP: Required<Syscall> = { x64: 317, arm64: 277 }
