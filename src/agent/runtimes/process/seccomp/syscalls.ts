/**
 * System calls that container runtimes keep from processes by default: those that change the machine, and those that
 * have let processes out of containers before (https://docs.docker.com/engine/security/seccomp/).
 */

export interface BlockedSyscall {
  readonly name: string
  /** Capabilities of which each lets a process have it nevertheless. */
  readonly unless: readonly string[]
}

const blocked = (name: string, ...unless: string[]): BlockedSyscall => ({ name, unless })

export const BLOCKED: readonly BlockedSyscall[] = [
  blocked('acct', 'sys_pacct'),
  blocked('add_key'),
  blocked('bpf', 'sys_admin', 'bpf'),
  blocked('chroot', 'sys_chroot'),
  blocked('clock_settime', 'sys_time'),
  blocked('delete_module', 'sys_module'),
  blocked('fanotify_init', 'sys_admin'),
  blocked('finit_module', 'sys_module'),
  blocked('get_mempolicy', 'sys_nice'),
  blocked('init_module', 'sys_module'),
  blocked('ioperm', 'sys_rawio'),
  blocked('iopl', 'sys_rawio'),
  blocked('kcmp', 'sys_ptrace'),
  blocked('kexec_file_load'),
  blocked('kexec_load'),
  blocked('keyctl'),
  blocked('lookup_dcookie', 'sys_admin'),
  blocked('mbind', 'sys_nice'),
  blocked('migrate_pages'),
  blocked('mount', 'sys_admin'),
  blocked('move_pages'),
  blocked('open_by_handle_at', 'dac_read_search'),
  blocked('perf_event_open', 'sys_admin', 'perfmon'),
  blocked('pivot_root'),
  blocked('quotactl', 'sys_admin'),
  blocked('reboot', 'sys_boot'),
  blocked('request_key'),
  blocked('set_mempolicy', 'sys_nice'),
  blocked('setdomainname', 'sys_admin'),
  blocked('sethostname', 'sys_admin'),
  blocked('setns', 'sys_admin'),
  blocked('settimeofday', 'sys_time'),
  blocked('swapoff'),
  blocked('swapon'),
  blocked('sysfs'),
  blocked('syslog', 'sys_admin', 'syslog'),
  blocked('umount2', 'sys_admin'),
  blocked('unshare', 'sys_admin'),
  blocked('uselib'),
  blocked('userfaultfd'),
  blocked('ustat'),
  blocked('vhangup', 'sys_tty_config'),
  blocked('io_uring_setup'),
  blocked('io_uring_enter'),
  blocked('io_uring_register'),
  blocked('open_tree', 'sys_admin'),
  blocked('move_mount', 'sys_admin'),
  blocked('fsopen', 'sys_admin'),
  blocked('fsconfig', 'sys_admin'),
  blocked('fsmount', 'sys_admin'),
  blocked('fspick', 'sys_admin'),
  blocked('pidfd_getfd', 'sys_ptrace'),
  blocked('process_madvise', 'sys_ptrace'),
  blocked('mount_setattr', 'sys_admin'),
  blocked('quotactl_fd', 'sys_admin'),
  blocked('set_mempolicy_home_node', 'sys_nice'),
]

/** The last call that was looked at (removexattrat, Linux 6.13): what is newer is as if the kernel did not have it. */
export const LATEST = 466
