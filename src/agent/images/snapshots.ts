/**
 * Unpacked layers, shared between images: a folder for each chain of layers (OCI image specification, "ChainID"), of
 * which overlayfs makes a file system. Each layer is written through the overlay of those below it, so that the kernel
 * itself notes what a layer removes.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Mounts what the layers below and `upper` make, calls `work` with the place, and unmounts. */
export type MountLayers = (
  at: { readonly layers: readonly string[]; readonly upper: string; readonly work: string; readonly target: string },
  work: (root: string) => Promise<void>,
) => Promise<void>

export interface Snapshots {
  /** Folder whose entries `paths` names: mounts are made from there, as their options have little room. */
  readonly folder: string
  /** Unpacks what is missing. `unpack` writes layer number `at` into a folder. Resolves with the chain's names. */
  prepare(diffIds: readonly string[], unpack: (at: number, root: string) => Promise<void>): Promise<readonly string[]>
  /** The layers of a chain, lowest first, relative to `folder`. */
  paths(diffIds: readonly string[]): readonly string[]
  /** All of them are there. */
  has(diffIds: readonly string[]): boolean
  /** Removes every layer that is not of a chain in `kept`. */
  prune(kept: readonly (readonly string[])[]): void
}

/** Name of the folder of each layer of a chain. Half of a digest is more than enough, and fits a mount's options. */
function chainNames(diffIds: readonly string[]): string[] {
  let chain = ''
  return diffIds.map(diff => {
    chain = chain === '' ? diff : `sha256:${createHash('sha256').update(`${chain} ${diff}`).digest('hex')}`
    return chain.slice('sha256:'.length, 'sha256:'.length + 32)
  })
}

const COMPLETE = 'complete'

/** What was not finished is removed. */
export function openSnapshots(folder: string, mount: MountLayers): Snapshots {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(folder)) {
    if (!existsSync(join(folder, name, COMPLETE))) rmSync(join(folder, name), { recursive: true, force: true })
  }
  const running = new Map<string, Promise<void>>()
  const whole = (name: string) => existsSync(join(folder, name, COMPLETE))
  const fs = (name: string) => join(name, 'fs')

  async function make(name: string, below: readonly string[], unpack: (root: string) => Promise<void>) {
    const draft = join(folder, `${name}.new`)
    rmSync(draft, { recursive: true, force: true })
    for (const part of ['fs', 'work', 'root']) mkdirSync(join(draft, part), { recursive: true, mode: 0o755 })
    try {
      if (below.length === 0) await unpack(join(draft, 'fs'))
      else {
        const at = {
          layers: below.map(fs),
          upper: join(draft, 'fs'),
          work: join(draft, 'work'),
          target: join(draft, 'root'),
        }
        await mount(at, unpack)
      }
      for (const part of ['work', 'root']) rmSync(join(draft, part), { recursive: true, force: true })
      mkdirSync(join(draft, COMPLETE))
      renameSync(draft, join(folder, name))
    } catch (error) {
      rmSync(draft, { recursive: true, force: true })
      throw error
    }
  }

  return {
    folder,
    paths: diffIds => chainNames(diffIds).map(fs),
    has: diffIds => chainNames(diffIds).every(whole),
    async prepare(diffIds, unpack) {
      const names = chainNames(diffIds)
      for (const [at, name] of names.entries()) {
        if (whole(name)) continue
        // Two images that share a layer may be pulled at once.
        let work = running.get(name)
        if (!work) {
          work = make(name, names.slice(0, at), root => unpack(at, root)).finally(() => running.delete(name))
          running.set(name, work)
        }
        await work
      }
      return names.map(fs)
    },
    prune(kept) {
      const names = new Set(kept.flatMap(chainNames))
      for (const name of readdirSync(folder)) {
        if (names.has(name) || running.has(name.replace(/\.new$/, ''))) continue
        if (!statSync(join(folder, name)).isDirectory()) continue
        rmSync(join(folder, name), { recursive: true, force: true })
      }
    },
  }
}
