/**
 * The disk of a machine: Debian with systemd and what Tutti uses of a machine, of the release and from the places that
 * this machine's own apt is set up with. Made once, by mmdebstrap.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { findTool, mustRun } from './tools.ts'

const PACKAGES = [
  ...[
    'systemd',
    'systemd-sysv',
    'dbus',
    'dbus-user-session',
    'libpam-systemd',
    'udev',
    'kmod',
    'procps',
    'util-linux-extra',
  ],
  ...['containerd', 'runc', 'containernetworking-plugins', 'nftables', 'iproute2', 'iptables', 'conntrack', 'netbase'],
  ...['busybox-static', 'uidmap'],
  ...[
    'nfs-kernel-server',
    'nfs-common',
    'xfsprogs',
    'e2fsprogs',
    'quota',
    'apparmor',
    'perl',
    'ca-certificates',
    'libatomic1',
  ],
]
/** With a kernel of Debian's own, for machines on a hypervisor. */
const KERNEL = 'linux-image-amd64'
const SIZE = '4G'
const parts = join(import.meta.dirname, 'disk')

export interface Disk {
  /** A file system; never written: machines lay what they change over it. */
  readonly image: string
  /** Debian's kernel and what it starts with, where it was asked for. */
  readonly kernel?: { readonly file: string; readonly initrd: string }
}

const release = () => /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]

/** The files that tell apt where this release is found. */
function aptSources(): string[] {
  const suite = release()
  const more = '/etc/apt/sources.list.d'
  const files = ['/etc/apt/sources.list', ...(existsSync(more) ? readdirSync(more).map(name => join(more, name)) : [])]
  const names = (file: string) =>
    readFileSync(file, 'utf8')
      .split(/\s+/)
      .includes(suite ?? '')
  return files.filter(file => /\.(list|sources)$/.test(file) && existsSync(file) && names(file))
}

/** What is missing to make one; undefined when nothing is. */
export function diskMissing(): string | undefined {
  if (!existsSync('/etc/debian_version') || aptSources().length === 0)
    return 'the disk is made with the apt of a Debian machine'
  if (!findTool('mmdebstrap')) return 'apt install mmdebstrap'
  return findTool('mke2fs') ? undefined : 'apt install e2fsprogs'
}

/** Resolves with the disk, for a machine with a kernel of Debian's or one that comes from elsewhere. */
export async function openDisk(withKernel: boolean): Promise<Disk> {
  const packages = withKernel ? [...PACKAGES, KERNEL] : PACKAGES
  const scripts = readdirSync(parts).map(name => readFileSync(join(parts, name), 'utf8'))
  const folder = await cached(
    withKernel ? 'disk-with-kernel' : 'disk',
    [release()!, SIZE, ...packages, ...scripts],
    async place => {
      const root = join(place, 'root')
      await mustRun('mmdebstrap', [
        ...['--variant=minbase', '--format=directory', `--include=${packages.join(',')}`],
        ...['--aptopt=Apt::Install-Recommends "false"', '--dpkgopt=path-exclude=/usr/share/doc/*'],
        ...['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*'],
        `--customize-hook=${join(parts, 'setup.sh')} "$1"`,
        ...[release()!, root, ...aptSources()],
      ])
      await mustRun('mke2fs', ['-q', '-t', 'ext4', '-d', root, join(place, 'disk'), SIZE])
      if (withKernel)
        await mustRun('sh', [
          '-c',
          'cp "$1"/boot/vmlinuz-* "$2"/vmlinuz; cp "$1"/boot/initrd.img-* "$2"/initrd',
          'sh',
          root,
          place,
        ])
      await mustRun('rm', ['-rf', root])
    },
  )
  return {
    image: join(folder, 'disk'),
    ...(withKernel && { kernel: { file: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd') } }),
  }
}
