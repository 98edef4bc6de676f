/** Mounts of overlayfs on this machine: an image's layers, and one container's own changes above them. */
import { spawnSync } from 'node:child_process'
import { runTool } from '../../lib/run-tool.ts'
import { inUserNamespace } from '../../lib/user-namespace.ts'
import type { MountLayers } from '../images/snapshots.ts'

export interface Overlay {
  /** The layers are named relative to it: a mount's options hold 4,095 bytes. */
  readonly folder: string
  /** Lowest first. */
  readonly layers: readonly string[]
  readonly upper: string
  readonly work: string
  readonly target: string
}

/** A path in a mount's options. */
const option = (path: string) => path.replace(/[\\:,]/g, char => `\\${char}`)

/** Mounts it. Rejects with an `Error` that holds the kernel's reason. */
export async function mountOverlay({ folder, layers, upper, work, target }: Overlay): Promise<void> {
  const own = [`upperdir=${option(upper)}`, `workdir=${option(work)}`, 'nodev']
  await mountIn(folder, [...overlayOf(layers, own), target])
}

/** Options of a mount that puts layers together, lowest first; `more` stand beside them. */
export function overlayOptions(layers: readonly string[], more: readonly string[]): string {
  const lower = `lowerdir=${layers.map(option).reverse().join(':')}`
  // Without root of the machine attributes of overlayfs are those that users may set.
  return [lower, ...more, ...(inUserNamespace() ? ['userxattr'] : [])].join()
}

/** The same in words for mount(8). */
const overlayOf = (layers: readonly string[], more: readonly string[]): string[] => [
  ...['-t', 'overlay', 'overlay', '-o'],
  overlayOptions(layers, more),
]

async function mountIn(folder: string, args: readonly string[]): Promise<void> {
  try {
    await runTool('/bin/mount', ['-n', ...args], { cwd: folder })
  } catch (error) {
    throw new Error(`cannot mount the image's layers at ${args.at(-1)}: ${(error as Error).message}`, { cause: error })
  }
}

/** Mounts layers alone, to be read, with nothing in them that can be executed. Without layers nothing is mounted. */
export async function mountToRead({ folder, layers, target }: Pick<Overlay, 'folder' | 'layers' | 'target'>) {
  const [only] = layers
  if (only === undefined) return
  const flags = ['ro', 'nosuid', 'nodev', 'noexec']
  const words = layers.length === 1 ? ['--bind', '-o', flags.join(','), only] : overlayOf(layers, flags)
  await mountIn(folder, [...words, target])
}

/** Unmounts it wherever it is still in use too; what is no mount is left alone. */
export async function unmount(target: string): Promise<void> {
  await runTool('/bin/umount', ['-n', '-l', target]).catch(() => {})
}

/** `unmount` where nothing may be awaited. */
export const unmountSync = (target: string): void =>
  void spawnSync('/bin/umount', ['-n', '-l', target], { stdio: 'ignore' })

/** Puts layers together while one more is unpacked; `folder` is what their names are relative to. */
export const mountLayers =
  (folder: string): MountLayers =>
  async (at, work) => {
    await mountOverlay({ folder, ...at })
    try {
      await work(at.target)
    } finally {
      await unmount(at.target)
    }
  }
