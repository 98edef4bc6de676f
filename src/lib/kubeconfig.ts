/**
 * kubeconfig files (API doc: client-go `clientcmd/api/v1` Config): making one, adding a context to a user's own, and
 * taking it out again. Nothing of the user's is lost but comments; files are replaced atomically.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { writeFileAtomic } from './atomic-file.ts'

interface Named {
  name: string
  [part: string]: unknown
}

/** A kubeconfig; entries of other tools pass through untouched. */
export interface Kubeconfig {
  apiVersion?: string
  kind?: string
  clusters?: Named[] | null
  users?: Named[] | null
  contexts?: Named[] | null
  'current-context'?: string
  [part: string]: unknown
}

export interface ContextOptions {
  /** Name of context, cluster and user. */
  readonly name: string
  /** `https://127.0.0.1:6443`. */
  readonly server: string
  /** PEM of the authority that the server's certificate is checked with. */
  readonly authority: string
  /** PEM of the client. */
  readonly certificate?: string
  readonly key?: string
  /** A bearer token, instead of a certificate. */
  readonly token?: string
  readonly namespace?: string
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A kubeconfig with one context, which is the current one. */
export function buildKubeconfig(options: ContextOptions): Kubeconfig {
  const { name } = options
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: options.server, 'certificate-authority-data': base64(options.authority) } }],
    users: [
      {
        name,
        user: {
          ...(options.certificate && { 'client-certificate-data': base64(options.certificate) }),
          ...(options.key && { 'client-key-data': base64(options.key) }),
          ...(options.token && { token: options.token }),
        },
      },
    ],
    contexts: [
      { name, context: { cluster: name, user: name, ...(options.namespace && { namespace: options.namespace }) } },
    ],
    'current-context': name,
  }
}

const SECTIONS = ['clusters', 'users', 'contexts'] as const

/** `into` with the entries of `from`, replacing those of the same name; its current context becomes that of `from`. */
export function mergeKubeconfig(into: Kubeconfig, from: Kubeconfig): Kubeconfig {
  const merged: Kubeconfig = { apiVersion: 'v1', kind: 'Config', ...into }
  for (const section of SECTIONS) {
    const added = from[section] ?? []
    const names = new Set(added.map(each => each.name))
    merged[section] = [...(into[section] ?? []).filter(each => !names.has(each.name)), ...added]
  }
  if (from['current-context']) merged['current-context'] = from['current-context']
  return merged
}

/**
 * `config` without the context `name` and its cluster and user of the same name. The current context is cleared when
 * it was this one: guessing another might send the user's next command to the wrong cluster.
 */
export function withoutContext(config: Kubeconfig, name: string): Kubeconfig {
  const rest: Kubeconfig = { ...config }
  for (const section of SECTIONS) rest[section] = (config[section] ?? []).filter(each => each.name !== name)
  if (rest['current-context'] === name) rest['current-context'] = ''
  return rest
}

/** Where the file really is: a link is written through, not replaced. */
const target = (path: string) => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** JSON needs no YAML parser, which takes longer to load than the file to read; undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads a kubeconfig; undefined when there is no file. Throws for what is not a kubeconfig, naming the file. */
export async function readKubeconfig(path: string): Promise<Kubeconfig | undefined> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`reading the kubeconfig ${path} failed: ${(cause as Error).message}`, { cause })
  }
  return parseKubeconfig(text, path)
}

/** The text of a kubeconfig, YAML or JSON. Throws for what is none, naming the file. */
export async function parseKubeconfig(text: string, path: string): Promise<Kubeconfig> {
  let value: unknown
  try {
    value = text.startsWith('{') ? parseJson(text) : undefined
    value ??= (await import('yaml')).parse(text, { logLevel: 'error' })
  } catch (cause) {
    throw new Error(`the kubeconfig ${path} is not valid YAML: ${(cause as Error).message}`, { cause })
  }
  if (value === null || value === undefined) return {}
  const sections = value as Record<string, unknown>
  const isEntry = (each: unknown) => typeof each === 'object' && each !== null && !Array.isArray(each)
  const isList = (section: string) => {
    const list = sections[section] ?? []
    return Array.isArray(list) && list.every(isEntry)
  }
  if (typeof value !== 'object' || Array.isArray(value) || !SECTIONS.every(isList))
    throw new Error(`${path} is not a kubeconfig: expected an object with clusters, users and contexts`)
  return value as Kubeconfig
}

/** Writes a kubeconfig with mode 0600, replacing what stood there. */
export async function writeKubeconfig(path: string, config: Kubeconfig): Promise<void> {
  const { stringify } = await import('yaml')
  writeFileAtomic(target(path), stringify(config, { lineWidth: 0 }))
}

/** The same in JSON, which every reader of YAML reads: for a file of programs, made while a cluster starts. */
export const writeKubeconfigJson = (path: string, config: Kubeconfig): void =>
  writeFileAtomic(target(path), `${JSON.stringify(config, null, 2)}\n`)

/** The namespace that a user has chosen in the context of this name, if it is of the cluster with this authority. */
function chosenNamespace({ clusters, contexts }: Kubeconfig, { name, authority }: ContextOptions): string | undefined {
  const find = (section: Named[] | null | undefined) => section?.find(each => each.name === name)
  const cluster = find(clusters)?.cluster as Record<string, unknown> | undefined
  const context = find(contexts)?.context as Record<string, unknown> | undefined
  if (cluster?.['certificate-authority-data'] !== base64(authority)) return undefined
  return typeof context?.namespace === 'string' ? context.namespace : undefined
}

/**
 * Adds or replaces a context in the file at `path` and makes it the current one; the namespace that was chosen in it
 * stays. Makes the file where it is missing.
 */
export async function addContext(path: string, options: ContextOptions): Promise<void> {
  const before = (await readKubeconfig(path)) ?? {}
  const namespace = options.namespace ?? chosenNamespace(before, options)
  await writeKubeconfig(path, mergeKubeconfig(before, buildKubeconfig({ ...options, ...(namespace && { namespace }) })))
}

/** Takes a context out of the file at `path`; false when it, or the file, was not there. */
export async function removeContext(path: string, name: string): Promise<boolean> {
  const config = await readKubeconfig(path)
  if (!config?.contexts?.some(each => each.name === name)) return false
  await writeKubeconfig(path, withoutContext(config, name))
  return true
}
