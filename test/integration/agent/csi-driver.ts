/** A CSI driver in the test's own process: volumes are folders below one of its own, bound to where they are wanted. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import * as messages from '../../../src/agent/csi/messages.ts'
import { mount, unmount } from '../../../src/lib/mounts.ts'
import type { Message } from '../../../src/lib/protobuf/message.ts'
import { serve } from './grpc-service.ts'

/** A call as the driver got it. */
export interface Call {
  readonly method: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever was sent
  readonly request: any
}

export interface DriverOptions {
  readonly name: string
  /** Of the node: `plugins_registry` is below it. */
  readonly dataDir: string
  /** Of the driver. */
  readonly directory: string
  readonly capabilities?: readonly number[]
  readonly segments?: Readonly<Record<string, string>>
}

/** Starts the driver, which registers with the node. */
export async function startDriver({ name, dataDir, directory, capabilities = [], segments = {} }: DriverOptions) {
  const calls: Call[] = []
  const fails = new Map<string, string>()
  const registered: { pluginRegistered: boolean; error: string }[] = []
  mkdirSync(directory, { recursive: true })
  const socket = join(directory, 'csi.sock')
  const backing = (id: string) => join(directory, 'data', id)
  const bind = async (from: string, to: string, ...options: string[]) => {
    mkdirSync(from, { recursive: true })
    mkdirSync(to, { recursive: true })
    await mount('--bind', ...options, from, to)
  }
  // biome-ignore lint/suspicious/noExplicitAny: handlers of all messages
  const on = (method: string, handle: (request: any) => Promise<object>) => async (request: any) => {
    calls.push({ method, request })
    const problem = fails.get(method)
    if (problem) throw new Error(problem)
    return handle(request)
  }
  const m = messages
  const types = (input: object, output: object) => [input, output] as unknown as [Message<never>, Message<never>]
  const node = await serve(socket, 'csi.v1.Node', {
    NodeGetInfo: [
      ...types(m.empty, m.nodeInfoResponse),
      on('NodeGetInfo', async () => ({
        nodeId: `${name}-node`,
        maxVolumesPerNode: 5,
        accessibleTopology: { segments },
      })),
    ],
    NodeGetCapabilities: [
      ...types(m.empty, m.nodeCapabilitiesResponse),
      on('NodeGetCapabilities', async () => ({ capabilities: capabilities.map(type => ({ rpc: { type } })) })),
    ],
    NodeStageVolume: [
      ...types(m.stageRequest, m.empty),
      on('NodeStageVolume', async ({ volumeId, stagingTargetPath }) => {
        await unmount(stagingTargetPath)
        await bind(backing(volumeId), stagingTargetPath)
        return {}
      }),
    ],
    NodeUnstageVolume: [
      ...types(m.unstageRequest, m.empty),
      on('NodeUnstageVolume', async ({ stagingTargetPath }) => {
        await unmount(stagingTargetPath)
        return {}
      }),
    ],
    NodePublishVolume: [
      ...types(m.publishRequest, m.empty),
      on('NodePublishVolume', async ({ volumeId, stagingTargetPath, targetPath }) => {
        await unmount(targetPath)
        await bind(stagingTargetPath || backing(volumeId), targetPath)
        return {}
      }),
    ],
    NodeUnpublishVolume: [
      ...types(m.unpublishRequest, m.empty),
      on('NodeUnpublishVolume', async ({ targetPath }) => {
        await unmount(targetPath)
        rmSync(targetPath, { recursive: true, force: true })
        return {}
      }),
    ],
    NodeExpandVolume: [
      ...types(m.expandRequest, m.expandResponse),
      on('NodeExpandVolume', async ({ capacityRange }) => ({ capacityBytes: capacityRange.requiredBytes })),
    ],
  })
  const registry = join(dataDir, 'plugins_registry')
  mkdirSync(registry, { recursive: true })
  const registration = await serve(join(registry, `${name}-reg.sock`), 'pluginregistration.Registration', {
    GetInfo: [
      ...types(m.empty, m.pluginInfo),
      async () => ({ type: 'CSIPlugin', name, endpoint: socket, supportedVersions: ['1.0.0'] }),
    ],
    NotifyRegistrationStatus: [
      ...types(m.registrationStatus, m.empty),
      async (status: never) => {
        registered.push(status)
        return {}
      },
    ],
  })
  return {
    calls,
    registered,
    /** Lets a call fail with this message; '' lets it work again. */
    fail: (method: string, message: string) => fails.set(method, message),
    backing,
    /** Of one method. */
    asked: (method: string) => calls.filter(each => each.method === method).map(each => each.request),
    async stop() {
      for (const server of [registration, node]) server.forceShutdown()
      rmSync(join(registry, `${name}-reg.sock`), { force: true })
    },
  }
}
