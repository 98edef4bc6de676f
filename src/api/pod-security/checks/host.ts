/** What of the node a pod must leave alone. */
import type { Container } from '../../generated/types/core-v1.ts'
import { type Check, containers, containersOf, namesOf, plural, quoted, setters, sorted } from '../check.ts'

export const hostNamespaces: Check = {
  id: 'hostNamespaces',
  level: 'baseline',
  versions: [
    [
      0,
      ({ spec }) => {
        const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter(name => spec[name])
        if (!shared.length) return undefined
        return { reason: 'host namespaces', detail: shared.map(name => `${name}=true`).join(', ') }
      },
    ],
  ],
}

export const hostPathVolumes: Check = {
  id: 'hostPathVolumes',
  level: 'baseline',
  versions: [
    [
      0,
      ({ spec }) => {
        const names = (spec.volumes ?? []).filter(volume => volume.hostPath).map(({ name }) => name)
        if (!names.length) return undefined
        return { reason: 'hostPath volumes', detail: `${plural(names.length, 'volume')} ${quoted(names)}` }
      },
    ],
  ],
}

const hostPortsOf = (container: Container) =>
  (container.ports ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : []))

export const hostPorts: Check = {
  id: 'hostPorts',
  level: 'baseline',
  versions: [
    [
      0,
      ({ spec }) => {
        const names = namesOf(spec, container => hostPortsOf(container).length > 0)
        if (!names.length) return undefined
        const ports = sorted(containersOf(spec).flatMap(hostPortsOf))
        const what = `${plural(ports.length, 'hostPort')} ${ports.join(', ')}`
        return { reason: 'hostPort', detail: `${containers(names)} ${plural(names.length, 'uses', 'use')} ${what}` }
      },
    ],
  ],
}

interface Handler {
  readonly httpGet?: { readonly host?: string }
  readonly tcpSocket?: { readonly host?: string }
}

const hostsOf = ({ livenessProbe, readinessProbe, startupProbe, lifecycle }: Container): string[] => {
  const handlers: (Handler | undefined)[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ]
  return handlers
    .flatMap(handler => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter(host => host !== undefined && host !== '') as string[]
}

export const hostProbes: Check = {
  id: 'hostProbesAndHostLifecycle',
  level: 'baseline',
  versions: [
    [
      34,
      ({ spec }) => {
        const names = sorted(namesOf(spec, container => hostsOf(container).length > 0))
        if (!names.length) return undefined
        const hosts = sorted(containersOf(spec).flatMap(hostsOf))
        const what = `${plural(hosts.length, 'probe or lifecycle host')} ${quoted(hosts)}`
        return {
          reason: 'probe or lifecycle host',
          detail: `${containers(names)} ${plural(names.length, 'uses', 'use')} ${what}`,
        }
      },
    ],
  ],
}

export const windowsHostProcess: Check = {
  id: 'windowsHostProcess',
  level: 'baseline',
  versions: [
    [
      0,
      ({ spec }) => {
        const names = namesOf(spec, container => container.securityContext?.windowsOptions?.hostProcess === true)
        const pod = spec.securityContext?.windowsOptions?.hostProcess === true
        if (!pod && !names.length) return undefined
        return {
          reason: 'hostProcess',
          detail: `${setters(pod, names)} must not set securityContext.windowsOptions.hostProcess=true`,
        }
      },
    ],
  ],
}
