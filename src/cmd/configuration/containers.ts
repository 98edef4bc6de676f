/** What runs containers on a machine, and where its images come from, as the configuration says it. */
import { readFileSync } from 'node:fs'
import type { RegistrySettings } from '../../agent/runtimes/containerd/registries.ts'
import type { LoadedConfiguration } from './configuration.ts'
import { about } from './fields.ts'

/** What runs containers, and where images come from. */
export interface ContainerSettings {
  /** Address of a CRI socket. */
  readonly runtimeEndpoint?: string
  /** Image of pods' first process. */
  readonly sandboxImage?: string
  readonly cgroupDriver?: 'cgroupfs' | 'systemd'
  /** Folder where device plugins register. */
  readonly devicePlugins?: string
  readonly registries: readonly RegistrySettings[]
}

const CGROUP_DRIVERS = ['cgroupfs', 'systemd'] as const

/** A mirror's address. Throws an Error for what is none. */
function mirrorOf(text: string): string {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text))
    throw new Error(`${JSON.stringify(text)} is no address like https://mirror.example.com`)
  return text.replace(/\/+$/, '')
}

/** A registry as it stands in names of images. Throws an Error for what is none. */
function registryOf(text: string | undefined): string {
  if (!text || !/^[A-Za-z0-9.-]+(:\d+)?$/.test(text))
    throw new Error(`${JSON.stringify(text ?? '')} is no registry like docker.io or registry.example.com:5000`)
  return text
}

/** Reads `containers` and `registries` of a configuration. Throws `UserError` that names the field that is wrong. */
export function containersOf({ configuration, file, path }: LoadedConfiguration): ContainerSettings {
  const { runtimeEndpoint, sandboxImage, cgroupDriver, devicePlugins } = configuration.containers ?? {}
  const driver = CGROUP_DRIVERS.find(each => each === cgroupDriver)
  if (cgroupDriver !== undefined && !driver)
    about(file, 'containers.cgroupDriver', () => {
      throw new Error(`${JSON.stringify(cgroupDriver)} is not cgroupfs or systemd`)
    })
  const registries = (configuration.registries ?? []).map(({ host, mirrors = [], caFile }, at) => {
    const of = <T>(field: string, read: () => T) => about(file, `registries[${at}].${field}`, read)
    return {
      host: of('host', () => registryOf(host)),
      mirrors: of('mirrors', () => mirrors.map(mirrorOf)),
      ...(caFile && { ca: of('caFile', () => readFileSync(path(caFile), 'utf8')) }),
    }
  })
  return {
    ...(runtimeEndpoint && { runtimeEndpoint }),
    ...(sandboxImage && { sandboxImage }),
    ...(driver && { cgroupDriver: driver }),
    ...(devicePlugins && { devicePlugins: path(devicePlugins) }),
    registries,
  }
}
