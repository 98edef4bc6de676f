/** The configuration of a containerd of our own: version 2 for 1.x, 3 for 2.x. */
import { PAUSE_IMAGE } from './pause-image.ts'

export interface Layout {
  /** Images and containers, on disk; DATA_DIR/containerd. */
  readonly root: string
  /** What runs, on a file system that a reboot empties. */
  readonly state: string
  readonly socket: string
  /** Of the CNI plugin and its configuration. */
  readonly cniBin: string
  readonly cniConf: string
  /** Registries' hosts, a folder each (containerd's docs/hosts.md). */
  readonly registries: string
}

export interface Settings {
  /** containerd's major version. */
  readonly major: number
  readonly layout: Layout
  /** Groups are made by systemd (`systemd`) or by writing to /sys/fs/cgroup (`cgroupfs`). */
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
  /** This program may not lower an oom_score_adj (no CAP_SYS_RESOURCE). */
  readonly restrictOom: boolean
  /** The image of pods' first process; our own when absent. */
  readonly sandboxImage?: string
}

type Toml = { readonly [key: string]: string | number | boolean | readonly string[] | Toml }

/** As TOML; tables come after the plain values of theirs. Strings are such that JSON's form is TOML's, too. */
function toml(table: Toml, path: readonly string[] = []): string {
  const entries = Object.entries(table)
  const isTable = (value: Toml[string]): value is Toml => typeof value === 'object' && !Array.isArray(value)
  const plain = entries.filter(([, value]) => !isTable(value))
  const head = path.length > 0 ? `[${path.map(name => JSON.stringify(name)).join('.')}]\n` : ''
  const own =
    plain.length > 0 ? `${head}${plain.map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join('')}` : ''
  return own + entries.map(([key, value]) => (isTable(value) ? toml(value, [...path, key]) : '')).join('')
}

/** The file's text. */
export function containerdConfiguration(settings: Settings): string {
  const { major, layout, cgroupDriver, restrictOom, sandboxImage = PAUSE_IMAGE } = settings
  const runc = {
    runtime_type: 'io.containerd.runc.v2',
    options: { Root: `${layout.state}/runc`, SystemdCgroup: cgroupDriver === 'systemd' },
  }
  const runtime = {
    restrict_oom_score_adj: restrictOom,
    enable_unprivileged_ports: true,
    enable_unprivileged_icmp: true,
    netns_mounts_under_state_dir: true,
    tolerate_missing_hugetlb_controller: true,
    containerd: { default_runtime_name: 'runc', runtimes: { runc } },
  }
  const images = { snapshotter: 'overlayfs', registry: { config_path: layout.registries } }
  const streaming = { disable_tcp_service: true, stream_server_address: '127.0.0.1', stream_server_port: '0' }
  const plugins: Toml =
    major >= 2
      ? {
          'io.containerd.cri.v1.runtime': {
            ...runtime,
            cni: { bin_dirs: [layout.cniBin], conf_dir: layout.cniConf, max_conf_num: 1 },
          },
          'io.containerd.cri.v1.images': { ...images, pinned_images: { sandbox: sandboxImage } },
          'io.containerd.grpc.v1.cri': streaming,
        }
      : {
          'io.containerd.grpc.v1.cri': {
            ...runtime,
            ...streaming,
            // Off by default before 2.0.
            enable_cdi: true,
            sandbox_image: sandboxImage,
            cni: { bin_dir: layout.cniBin, conf_dir: layout.cniConf, max_conf_num: 1 },
            containerd: { ...runtime.containerd, snapshotter: images.snapshotter },
            registry: images.registry,
          },
        }
  return toml({
    version: major >= 2 ? 3 : 2,
    root: layout.root,
    state: layout.state,
    imports: [],
    grpc: { address: layout.socket },
    // Pods' own groups are read by the agent; nothing scrapes containerd.
    plugins: { ...plugins, 'io.containerd.monitor.v1.cgroups': { no_prometheus: true } },
  })
}
