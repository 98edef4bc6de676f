/** The runtime alone: sandbox, container and start by bare CRI calls on Tutti's own containerd, with its network plugin. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { criCalls } from '../../src/agent/runtimes/cri/services.ts'
import { openChannel } from '../../src/lib/grpc/channel.ts'

export interface BareRuntime {
  /** Starts a pod of one container; resolves with its sandbox when the container runs. */
  start(): Promise<string>
  end(sandbox: string): Promise<void>
  /** Starts so many, `width` at once; resolves with how long it took in ms, when they are ended. */
  burst(count: number, width: number): Promise<number>
  /** Removes what is left of it. */
  close(): void
}

/** Opens it on the containerd of a cluster by its data directory. */
export async function openBareRuntime(dataDir: string, image: string): Promise<BareRuntime> {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bench-bare-'))
  const config = readFileSync(join(dataDir, 'containerd/config.toml'), 'utf8')
  const socket = /^address = "(.*)"$/m.exec(config)![1]!
  const call = criCalls(await openChannel(socket))
  const netns = `tutti-bench-${process.pid}`
  execFileSync('ip', ['netns', 'add', netns])
  let count = 0

  async function start(): Promise<string> {
    const uid = `bare-${count++}`
    writeFileSync(
      join(dirname(socket), 'cni/pods', uid),
      `/var/run/netns/${netns}\n{"cniVersion":"0.4.0","ips":[{"version":"4","address":"192.0.2.1/32"}]}\n`,
    )
    mkdirSync(join(folder, uid))
    const securityContext = { namespaceOptions: { network: 0, pid: 1, ipc: 0 } }
    const sandboxConfig = {
      metadata: { name: uid, uid, namespace: 'bench', attempt: 0 },
      logDirectory: join(folder, uid),
      linux: { cgroupParent: `/tutti-bench/${uid}`, securityContext },
    }
    const { podSandboxId } = await call('RunPodSandbox', { config: sandboxConfig })
    const container = {
      metadata: { name: 'c', attempt: 0 },
      image: { image },
      command: ['sleep', '36000'],
      logPath: 'c.log',
      linux: { securityContext },
    }
    const { containerId } = await call('CreateContainer', { podSandboxId, config: container, sandboxConfig })
    await call('StartContainer', { containerId })
    return podSandboxId
  }
  async function end(sandbox: string) {
    await call('StopPodSandbox', { podSandboxId: sandbox })
    await call('RemovePodSandbox', { podSandboxId: sandbox })
  }

  return {
    start,
    end,
    async burst(size, width) {
      const sandboxes: string[] = []
      let left = size
      const began = performance.now()
      await Promise.all(
        Array.from({ length: width }, async () => {
          while (left-- > 0) sandboxes.push(await start())
        }),
      )
      const took = performance.now() - began
      for (const sandbox of sandboxes) await end(sandbox)
      return took
    },
    close() {
      execFileSync('ip', ['netns', 'delete', netns])
      rmSync(folder, { recursive: true, force: true })
      // containerd leaves the groups of its pods behind.
      for (const hierarchy of readdirSync('/sys/fs/cgroup')) {
        const groups = `/sys/fs/cgroup/${hierarchy}/tutti-bench`
        spawnSync('find', [groups, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';'])
      }
    },
  }
}
