/** Mirrors and authorities of registries, as containerd reads them (its docs/hosts.md): a folder each with a hosts.toml. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'

/** One registry of the cluster's configuration. */
export interface RegistrySettings {
  /** As it stands in names of images: `docker.io`, `registry.example.com:5000`. */
  readonly host: string
  /** Asked before it, in order: `https://mirror.example.com`. */
  readonly mirrors: readonly string[]
  /** PEM of the authorities that sign its certificate, and its mirrors'. */
  readonly ca?: string
}

/** Names of images say docker.io; what answers is elsewhere. */
const SERVERS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' }

const quoted = JSON.stringify

/** The hosts.toml of a registry; `caFile` holds its `ca`. */
export function hostsToml({ host, mirrors, ca }: RegistrySettings, caFile: string): string {
  const server = `https://${SERVERS[host] ?? host}`
  const authorities = ca ? `ca = ${quoted(caFile)}` : undefined
  // containerd asks the server itself last, by what stands before the first host; 1.6 reads no file without a host.
  const lines = [`server = ${quoted(server)}`, ...(authorities ? [authorities] : [])]
  for (const url of [...mirrors, ...(ca ? [server] : [])])
    lines.push(
      `[host.${quoted(url)}]`,
      `  capabilities = ["pull", "resolve"]`,
      ...(authorities ? [`  ${authorities}`] : []),
    )
  return `${lines.join('\n')}\n`
}

/** Writes what is configured, and nothing else stays. containerd reads it anew for each pull. */
export function writeRegistries(folder: string, registries: readonly RegistrySettings[]): void {
  rmSync(folder, { recursive: true, force: true })
  for (const registry of registries) {
    const place = join(folder, registry.host)
    mkdirSync(place, { recursive: true, mode: 0o755 })
    const caFile = join(place, 'ca.pem')
    if (registry.ca) writeFileAtomic(caFile, registry.ca, 0o644)
    writeFileAtomic(join(place, 'hosts.toml'), hostsToml(registry, caFile), 0o644)
  }
}
