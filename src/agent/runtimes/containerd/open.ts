/** A CRI driver over a containerd of our own, with Tutti's pod network. */

import { createHash } from 'node:crypto'
import { chmodSync, createReadStream, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { architecture } from '../../../lib/architecture.ts'
import { type Clock, sleep } from '../../../lib/clock.ts'
import type { Logger } from '../../../lib/log.ts'
import { clearRuntime } from '../clear.ts'
import { type CriDriverOptions, openCriDriver } from '../cri/driver.ts'
import { type RuntimeDriver, RuntimeError } from '../runtime.ts'
import { installCni } from './cni.ts'
import type { Layout, Settings } from './configuration.ts'
import { importArchive } from './ctr.ts'
import type { Programs } from './find.ts'
import { PAUSE_IMAGE, pauseArchive } from './pause-image.ts'
import { openPodGroups } from './pod-groups.ts'
import { type RegistrySettings, writeRegistries } from './registries.ts'
import { removeRemains } from './remains.ts'
import { runDirectory, shimsOf } from './run-folder.ts'
import { endLostShims } from './shims.ts'
import { superviseContainerd } from './supervise.ts'

export interface ContainerdOptions {
  readonly programs: Programs
  /** Folder of everything that lasts; DATA_DIR/containerd. */
  readonly directory: string
  /** This node's folder in every cgroup hierarchy, e.g. `tutti/node-1`. */
  readonly cgroupRoot: string
  readonly clock: Clock
  readonly logger: Logger
  readonly handlers: readonly string[]
  /** Image of pods' first process; one of our own when absent. */
  readonly sandboxImage?: string
  readonly cgroupDriver?: 'cgroupfs' | 'systemd'
  /** Mirrors and authorities of registries. */
  readonly registries?: readonly RegistrySettings[]
}

export interface OwnContainerd {
  readonly driver: RuntimeDriver
  readonly socket: string
  /** Ends all pods, closes the driver and ends containerd; removes what it left besides its folder. */
  stop(): Promise<void>
}

/** After a start of containerd it has found its shims by then (ms). */
const SWEEP_MS = 10_000
/** One that has died is back within this time, if at all; asked again after so long (ms). */
const BACK_MS = 15_000
const BACK_STEP_MS = 50
/** Bit of CAP_SYS_RESOURCE. */
const SYS_RESOURCE = 24n

/** Whether this program may lower an oom_score_adj. */
function mayLowerOomScore(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> SYS_RESOURCE) & 1n) === 1n
}

/** Starts or finds containerd and opens the driver on it. */
export async function openContainerd(options: ContainerdOptions): Promise<OwnContainerd> {
  const { programs, directory, clock, logger, cgroupDriver = 'cgroupfs' } = options
  const run = runDirectory(directory)
  const layout: Layout = {
    root: join(directory, 'root'),
    ...shimsOf(directory),
    cniBin: join(run, 'cni/bin'),
    cniConf: join(run, 'cni/conf'),
    registries: join(directory, 'registries'),
  }
  const settings: Settings = {
    major: Number(programs.version.split('.')[0]),
    layout,
    cgroupDriver,
    restrictOom: !mayLowerOomScore(),
    ...(options.sandboxImage ? { sandboxImage: options.sandboxImage } : {}),
  }
  mkdirSync(run, { recursive: true })
  // The root of a pod with users of its own passes through on the way to its files.
  chmodSync(run, 0o711)
  writeRegistries(layout.registries, options.registries ?? [])
  const cni = installCni(join(run, 'cni'), { bin: layout.cniBin, conf: layout.cniConf })
  const ctr = { ctr: programs.ctr, socket: layout.socket }
  const groups = openPodGroups(options.cgroupRoot, cgroupDriver)
  const supervisor = await superviseContainerd({ programs, settings, directory, clock, logger })
  const sweep = () => void clock.after(SWEEP_MS, () => endLostShims(layout))
  sweep()
  const criOptions: CriDriverOptions = {
    socket: layout.socket,
    clock,
    logger,
    handlers: options.handlers,
    owner: createHash('sha256').update(directory).digest('hex').slice(0, 16),
    ownNetwork: false,
    cgroupParent: groups.parent,
    unifiedGroups: groups.version === 2,
    async beforeSandbox(config) {
      await groups.make(config)
      if (config.netns) cni.add(config.uid, config.netns, config.ips)
    },
    async afterSandbox(note) {
      await groups.remove(note)
      cni.remove(note.uid)
    },
    updateSandbox: groups.update,
    limits: groups.limits,
    usage: groups.usage,
    oomKills: groups.oomKills,
    sandboxImage: options.sandboxImage ?? PAUSE_IMAGE,
    importArchive: file => importArchive(ctr, createReadStream(file)),
    lost() {
      supervisor.check()
      sweep()
    },
    closed: supervisor.release,
  }
  let driver: RuntimeDriver | undefined
  try {
    driver = await openCriDriver(criOptions)
    if (!options.sandboxImage) await ensurePause(driver, ctr)
  } catch (error) {
    await driver?.close()
    // Pods of an earlier start have their shims and need no containerd; one that nobody asks anything is not left.
    await supervisor.stop()
    await groups.removeAll()
    throw error
  }
  const opened = driver
  return {
    driver: opened,
    socket: layout.socket,
    async stop() {
      // While it is watched still: one that has died comes back to end what it ran.
      await endSandboxes(opened, clock).catch(error => logger.warn({ err: error }, 'containers may be left'))
      await opened.close()
      await supervisor.stop()
      await removeRemains(directory)
      await groups.removeAll()
    },
  }
}

/** Without its shim a container would run on, unknown to all. Waits for a containerd that is being started again. */
async function endSandboxes(driver: RuntimeDriver, clock: Clock): Promise<void> {
  const until = clock.elapsed() + BACK_MS
  for (;;) {
    try {
      return await clearRuntime(driver)
    } catch (error) {
      const isAway = error instanceof RuntimeError && error.reason === 'RuntimeUnavailable'
      if (!isAway || clock.elapsed() > until) throw error
    }
    await sleep(clock, BACK_STEP_MS)
  }
}

/** The image of pods' first process is there. */
async function ensurePause(driver: RuntimeDriver, ctr: Parameters<typeof importArchive>[0]) {
  if (await driver.findImage(PAUSE_IMAGE)) return
  const archive = await pauseArchive(architecture())
  if (!archive)
    throw new Error(`there is no pause program for ${architecture()}: name an image of one in the configuration`)
  await importArchive(ctr, Readable.from([archive]))
}
