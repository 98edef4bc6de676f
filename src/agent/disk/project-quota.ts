/**
 * Limits of folders by quotas of projects, where the file system keeps them: ext4 and XFS that are mounted with
 * `prjquota` (quotactl(2), chattr(1), setquota(8)). The kernel then refuses to write beyond the limit, and `df` in the
 * folder shows it.
 */
import { mountOf } from '../../lib/mounts.ts'
import { programOutput } from '../../lib/program-output.ts'

export interface FolderLimits {
  /** Bounds a folder that stands, with all that is in it; again with another size. */
  set(folder: string, bytes: number): Promise<void>
  /** Forgets the bound of a folder that is to be removed. */
  forget(folder: string): Promise<void>
}

/** Runs a program to its end; what it printed. */
export type Run = (program: string, args: readonly string[]) => Promise<string>

/** The first of our projects, as the kubelet's: below are those that people give by hand. */
const FIRST = 1_048_577

/** Whether the file system of a folder keeps quotas of projects. */
export const keepsQuotas = (folder: string): boolean =>
  mountOf(folder)?.options.some(option => option === 'prjquota' || option === 'pquota') ?? false

/**
 * Limits for the folders in `parent`, which are all of one file system that `keepsQuotas`. Rejections name what is
 * missing.
 */
export function openFolderLimits(parent: string, tools: Run = programOutput): FolderLimits {
  /** `lsattr` of folders, by name. */
  async function projects(): Promise<Map<string, number>> {
    const text = await tools('find', [
      parent,
      '-mindepth',
      '1',
      '-maxdepth',
      '1',
      '-type',
      'd',
      '-exec',
      'lsattr',
      '-pd',
      '{}',
      '+',
    ])
    // 1048577 --------------e----P-- /volumes/pvc-1
    const lines = text.split('\n').map(line => /^\s*(\d+)\s+\S+\s+(.*)$/.exec(line))
    return new Map(lines.flatMap(found => (found ? [[found[2]!, Number(found[1])] as const] : [])))
  }
  const bound = (project: number, bytes: number) =>
    // In blocks of 1 KiB; no soft limit, no limit of files.
    tools('setquota', [
      '-P',
      String(project),
      '0',
      String(Math.ceil(bytes / 1024)),
      '0',
      '0',
      mountOf(parent)?.point ?? parent,
    ])

  /** A project is found free and taken before the next is looked for. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => {})
    return turn
  }
  return {
    set: (folder, bytes) =>
      inTurn(async () => {
        const all = await projects()
        const taken = new Set(all.values())
        let project = all.get(folder) ?? 0
        if (project < FIRST) {
          for (project = FIRST; taken.has(project); ) project++
          await tools('chattr', ['-R', '-p', String(project), '+P', folder])
        }
        await bound(project, bytes)
      }),
    forget: folder =>
      inTurn(async () => {
        const project = (await projects()).get(folder) ?? 0
        if (project >= FIRST) await bound(project, 0)
      }),
  }
}
