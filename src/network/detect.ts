/** What this machine allows, found by trying it in a namespace that ends with the trial. */
import { readFileSync } from 'node:fs'
import { attempt } from './tools/command.ts'

/** Where the network lives: the machine's own, one user and network namespace, or nowhere but on loopback. */
export type NetworkMode = 'kernel' | 'rootless' | 'portable'

/** Whether a mode can be used, and why not. */
export type Verdict = { readonly usable: true } | { readonly usable: false; readonly reason: string }

export interface Capabilities {
  readonly kernel: Verdict
  readonly rootless: Verdict
}

/** A link, translation and a kept namespace: what the network is made of. */
const TRIAL = `ip link add probe0 type veth peer name probe1 &&
nft 'add table ip probe; add chain ip probe c { type nat hook output priority -100; }; add map ip probe m { type ipv4_addr . inet_proto . inet_service . mark : ipv4_addr . inet_service; }'`

const unusable = (reason: string): Verdict => ({ usable: false, reason })

function sysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** The programs that are missing, as a sentence; undefined when all are there. */
async function missingPrograms(): Promise<string | undefined> {
  const programs = ['ip', 'nft', 'unshare', 'nsenter', 'umount']
  const { stdout } = await attempt('sh', [
    '-c',
    `for p in ${programs.join(' ')}; do command -v "$p" >/dev/null || echo "$p"; done`,
  ])
  const missing = stdout.trim().split('\n').filter(Boolean)
  return missing.length ? `${missing.join(', ')} not found: install iproute2, nftables and util-linux` : undefined
}

const firstLine = (text: string) => text.trim().split('\n')[0] ?? ''

async function tryKernel(): Promise<Verdict> {
  if (process.getuid?.() !== 0) return unusable('not root')
  const own = await attempt('nft', ['list', 'tables'])
  if (own.code !== 0) return unusable(`nftables refuses: ${firstLine(own.stderr)}`)
  const trial = await attempt('unshare', ['--net', '--mount', 'sh', '-c', TRIAL])
  return trial.code === 0
    ? { usable: true }
    : unusable(`a network namespace cannot be set up: ${firstLine(trial.stderr)}`)
}

async function tryRootless(): Promise<Verdict> {
  const trial = await attempt('unshare', ['--user', '--map-root-user', '--net', '--mount', 'sh', '-c', TRIAL])
  if (trial.code === 0) return { usable: true }
  const said = firstLine(trial.stderr)
  if (sysctl('user.max_user_namespaces') === '0')
    return unusable('user namespaces are switched off (sysctl user.max_user_namespaces is 0)')
  if (sysctl('kernel.unprivileged_userns_clone') === '0')
    return unusable('user namespaces are for root only (sysctl kernel.unprivileged_userns_clone is 0)')
  if (sysctl('kernel.apparmor_restrict_unprivileged_userns') === '1')
    return unusable(
      `AppArmor restricts user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns is 1): ${said}`,
    )
  return unusable(`a user namespace with a network cannot be set up: ${said}`)
}

/** Tries what is possible; takes about 30 ms. */
export async function detectCapabilities(): Promise<Capabilities> {
  if (process.platform !== 'linux') {
    const no = unusable(`network namespaces and nftables need Linux, this is ${process.platform}`)
    return { kernel: no, rootless: no }
  }
  const missing = await missingPrograms()
  if (missing) return { kernel: unusable(missing), rootless: unusable(missing) }
  const [kernel, rootless] = await Promise.all([tryKernel(), tryRootless()])
  return { kernel, rootless }
}

export interface Choice {
  readonly mode: NetworkMode
  /** Sentences for `tutti status`: what was not possible and why. */
  readonly notes: readonly string[]
}

/**
 * The mode to use: the one that was asked for, or the best that the machine allows. Throws an Error that says why when
 * what was asked for is not possible.
 */
export function chooseMode(asked: NetworkMode | undefined, { kernel, rootless }: Capabilities): Choice {
  const verdict = asked === 'kernel' ? kernel : asked === 'rootless' ? rootless : undefined
  if (verdict && !verdict.usable) throw new Error(`--network ${asked} is not possible here: ${verdict.reason}`)
  if (asked) return { mode: asked, notes: [] }
  if (kernel.usable) return { mode: 'kernel', notes: [] }
  if (rootless.usable) return { mode: 'rootless', notes: [`kernel network of the machine: ${kernel.reason}`] }
  return {
    mode: 'portable',
    notes: [`kernel network of the machine: ${kernel.reason}`, `rootless network: ${rootless.reason}`],
  }
}
