/**
 * Volumes of CSI drivers on a node: attached by others, staged once on the node, published for each pod, and all of that
 * undone in the reverse order. What was done is read from the disk, so that it is undone also after a crash.
 *
 * Invariant: a volume is unstaged only when no pod's folder says that it is published.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { CSIDriver } from '../../api/generated/types/storage-v1.ts'
import { compareQuantities, quantityValue } from '../../api/machinery/quantity.ts'
import type { Client } from '../../client/client.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { removeTree } from '../../lib/mounts.ts'
import { csiDrivers, nodes, persistentVolumeClaims, secrets, serviceAccounts, volumeAttachments } from '../resources.ts'
import { giveToGroup } from '../volumes/ownership.ts'
import { VolumeError, type VolumeSpec } from '../volumes/volume.ts'
import type { CsiDriver } from './driver.ts'
import type { CsiDrivers } from './drivers.ts'
import { CAPABILITY } from './messages.ts'
import { allRecords, isOf, readRecord, saveRecord, type VolumeRecord } from './record.ts'
import {
  attachmentName,
  type CsiVolume,
  capabilityOf,
  csiVolumeOf,
  inUseName,
  isGivenToGroup,
  places,
  podInfo,
  type SecretName,
} from './source.ts'

export interface CsiVolumesDeps {
  readonly client: Client
  readonly drivers: CsiDrivers
  readonly logger: Logger
  readonly nodeName: string
  readonly dataDir: string
  readonly podsDirectory: string
  readonly clock: Clock
  /** Ends repeated publications. */
  readonly signal: AbortSignal
}

export interface CsiVolumes {
  /** Publishes a volume for a pod; resolves with the path of the folder or device. Rejects with `VolumeError`. */
  publish(spec: VolumeSpec, pod: Pod, directory: string): Promise<string>
  /** Undoes what was published in this folder. Rejects when the driver will not, or is not there. */
  unpublish(directory: string): Promise<void>
  /**
   * Lets the volume of a bound claim have the size that its PersistentVolume has by now, where it is published, and says
   * so in the claim's status.
   */
  expand(spec: VolumeSpec, pod: Pod): Promise<void>
}

const DEVICE = 'MountVolume.MountDevice failed'
/** Conditions of a claim that is growing. */
const RESIZING: ReadonlySet<string> = new Set(['Resizing', 'FileSystemResizePending'])
const EXPANSION = 'MountVolume.Setup failed while expanding volume'
/** Between two publications of a volume whose driver wants it again and again (API doc: requiresRepublish), ms. */
const REPUBLISH_MS = 60_000
const TOKENS = 'csi.storage.k8s.io/serviceAccount.tokens'

/** Makes it for one node. */
export function createCsiVolumes(deps: CsiVolumesDeps): CsiVolumes {
  const { client, drivers, nodeName, dataDir, podsDirectory } = deps
  const busy = new Map<string, Promise<unknown>>()
  /** Next publications, by the folder of the volume. */
  const again = new Map<string, Timer>()
  let told: string | undefined
  let telling: Promise<unknown> = Promise.resolve()

  /** One piece of work on a volume at a time. */
  function alone<T>(volume: Pick<CsiVolume, 'driver' | 'handle'>, work: () => Promise<T>): Promise<T> {
    const key = inUseName(volume)
    const next = (busy.get(key) ?? Promise.resolve()).then(work, work)
    const settled = next.catch(() => {})
    busy.set(key, settled)
    void settled.then(() => busy.get(key) === settled && busy.delete(key))
    return next
  }
  const need = (name: string, step: string): CsiDriver => {
    const driver = drivers.get(name)
    if (driver) return driver
    throw new VolumeError(`kubernetes.io/csi: driver name ${name} not found in the list of registered CSI drivers`, {
      step,
    })
  }
  const secret = async (ref: SecretName | undefined): Promise<Record<string, string>> => {
    if (!ref) return {}
    const { data = {} } = await client.kind(secrets).get(ref)
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    )
  }
  async function tokens(pod: Pod, object: CSIDriver | undefined): Promise<Record<string, string>> {
    const requests = object?.spec.tokenRequests ?? []
    if (requests.length === 0) return {}
    const { namespace, name, uid } = pod.metadata ?? {}
    const result: Record<string, unknown> = {}
    for (const { audience, expirationSeconds = 3600 } of requests) {
      const account = { namespace, name: pod.spec?.serviceAccountName || 'default' }
      const spec = {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      }
      const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec }
      const answer = await client.kind(serviceAccounts).subresource<{ status?: object }>(account, 'token', request)
      result[audience] = answer.status
    }
    return { [TOKENS]: JSON.stringify(result) }
  }
  /** What the attacher left for the node. Rejects while it is not attached. */
  async function attached(volume: CsiVolume, object: CSIDriver | undefined): Promise<Record<string, string>> {
    if (volume.ephemeral || object?.spec.attachRequired === false) return {}
    const step = 'AttachVolume.Attach failed'
    const found = await client
      .kind(volumeAttachments)
      .find({ name: attachmentName(volume, nodeName) })
      .catch(() => undefined)
    const { attached: isAttached, attachError, attachmentMetadata = {} } = found?.status ?? {}
    if (isAttached) return attachmentMetadata
    throw new VolumeError(attachError?.message || 'the volume is not attached to this node yet', { step, soon: true })
  }
  /** Tells which volumes must not be detached. */
  async function tellInUse() {
    const used = allRecords(podsDirectory).filter(({ record }) => record.volumeLifecycleMode === 'Persistent')
    const all = used.map(({ record }) => inUseName({ driver: record.driverName, handle: record.volumeHandle }))
    const volumesInUse = [...new Set(all)].sort()
    if (told === JSON.stringify(volumesInUse)) return
    const patch = { status: { volumesInUse } }
    await client.kind(nodes).patch({ name: nodeName }, patch, { type: 'merge', subresource: 'status' })
    told = JSON.stringify(volumesInUse)
  }
  const inUseTold = () => (telling = telling.then(tellInUse, tellInUse))

  async function publish(spec: VolumeSpec, pod: Pod, directory: string): Promise<string> {
    const volume = csiVolumeOf(spec, pod)
    const driver = need(volume.driver, volume.ephemeral ? 'MountVolume.SetUp failed' : DEVICE)
    const object = await client.kind(csiDrivers).find({ name: volume.driver })
    checkMode(volume, object)
    const group = pod.spec?.securityContext?.fsGroup
    const volumeCapability = capabilityOf(volume, driver.can, group)
    const publishContext = await attached(volume, object)
    const place = places(dataDir, volume)
    const staging = !volume.ephemeral && driver.can(CAPABILITY.stage) ? place.staging : ''
    const target = volume.block ? place.device(pod.metadata?.uid ?? '') : join(directory, 'mount')
    const before = readRecord(directory)
    const record: VolumeRecord = {
      specVolID: volume.name,
      volumeHandle: volume.handle,
      driverName: volume.driver,
      nodeName,
      attachmentID: attachmentName(volume, nodeName),
      volumeLifecycleMode: volume.ephemeral ? 'Ephemeral' : 'Persistent',
      target,
      staging,
    }
    saveRecord(directory, record)
    if (!volume.ephemeral) await inUseTold()
    if (staging) {
      mkdirSync(staging, { recursive: true, mode: 0o750 })
      const secretsOf = await secret(volume.stageSecret)
      const request = { volumeId: volume.handle, publishContext, stagingTargetPath: staging, volumeCapability }
      await step(DEVICE, () => driver.stage({ ...request, secrets: secretsOf, volumeContext: volume.attributes }))
    }
    mkdirSync(dirname(target), { recursive: true, mode: 0o750 })
    const tokenContext = await tokens(pod, object)
    const inSecrets = object?.spec.serviceAccountTokenInSecrets === true
    await step(undefined, async () =>
      driver.publish({
        volumeId: volume.handle,
        publishContext,
        stagingTargetPath: staging,
        targetPath: target,
        volumeCapability,
        readonly: volume.readOnly,
        secrets: { ...(await secret(volume.publishSecret)), ...(inSecrets && tokenContext) },
        volumeContext: {
          ...volume.attributes,
          ...(object?.spec.podInfoOnMount && podInfo(pod, volume.ephemeral)),
          ...(!inSecrets && tokenContext),
        },
      }),
    )
    const setsGroup = group !== undefined && driver.can(CAPABILITY.mountGroup)
    await grow(volume, spec, driver, record)
    if (object?.spec.requiresRepublish) publishAgain(spec, pod, directory)
    if (!setsGroup && before === undefined && isGivenToGroup(volume, object)) await giveToGroup(target, pod, false)
    return target
  }

  /** Publishes once more in a while: tokens grow old, and what the driver shows may change. */
  function publishAgain(spec: VolumeSpec, pod: Pod, directory: string) {
    again.get(directory)?.cancel()
    const repeat = () =>
      alone(csiVolumeOf(spec, pod), async () => {
        if (deps.signal.aborted || !again.has(directory)) return
        await publish(spec, pod, directory)
      }).catch(error => {
        deps.logger.warn({ err: error, volume: spec.name }, 'a volume could not be published again')
        if (again.has(directory)) publishAgain(spec, pod, directory)
      })
    again.set(
      directory,
      deps.clock.after(REPUBLISH_MS, () => void repeat()),
    )
  }
  /** The file system follows its device, where the claim has less than its volume by now. */
  async function grow(volume: CsiVolume, { bound }: VolumeSpec, driver: CsiDriver, record: VolumeRecord) {
    const { claim } = bound ?? {}
    const wanted = bound?.volume.spec?.capacity?.storage
    if (!claim || !wanted || compareQuantities(claim.status?.capacity?.storage ?? wanted, wanted) >= 0) return
    if (driver.can(CAPABILITY.expand)) {
      await step(EXPANSION, async () => {
        await driver.expand({
          volumeId: volume.handle,
          volumePath: record.target,
          stagingTargetPath: record.staging,
          capacityRange: { requiredBytes: quantityValue(wanted) },
          volumeCapability: capabilityOf(volume, driver.can, undefined),
          secrets: await secret(volume.expandSecret),
        })
      })
    }
    const { namespace, name = '', uid } = claim.metadata ?? {}
    const conditions = claim.status?.conditions?.filter(each => !RESIZING.has(each.type)) ?? []
    const patch = { metadata: { uid }, status: { capacity: { storage: wanted }, conditions } }
    const claims = client.kind(persistentVolumeClaims)
    await claims.patch({ namespace, name }, patch, { type: 'merge', subresource: 'status' })
  }

  async function unpublish(directory: string, record: VolumeRecord) {
    again.get(directory)?.cancel()
    again.delete(directory)
    const volume = { driver: record.driverName, handle: record.volumeHandle }
    const driver = need(record.driverName, 'UnmountVolume.TearDown failed')
    await driver.unpublish({ volumeId: volume.handle, targetPath: record.target })
    await removeTree(record.target)
    const others = allRecords(podsDirectory).filter(each => isOf(each.record, volume) && each.directory !== directory)
    if (record.staging && others.length === 0) {
      await driver.unstage({ volumeId: volume.handle, stagingTargetPath: record.staging })
      await removeTree(record.staging)
      // The folder that was made for it, with nothing else in it.
      if (record.staging.endsWith('/globalmount')) await rmdir(dirname(record.staging)).catch(() => {})
    }
    rmSync(directory, { recursive: true, force: true })
    if (record.volumeLifecycleMode === 'Persistent') await inUseTold()
  }

  deps.signal.addEventListener('abort', () => again.forEach(timer => void timer.cancel()), { once: true })
  return {
    publish: (spec, pod, directory) => alone(csiVolumeOf(spec, pod), () => publish(spec, pod, directory)),
    async unpublish(directory) {
      const record = readRecord(directory)
      if (!record) return
      await alone({ driver: record.driverName, handle: record.volumeHandle }, () => unpublish(directory, record))
    },
    async expand(spec, pod) {
      const volume = csiVolumeOf(spec, pod)
      const driver = need(volume.driver, EXPANSION)
      await alone(volume, async () => {
        const mine = allRecords(podsDirectory).find(({ record }) => isOf(record, volume))?.record
        if (mine) await grow(volume, spec, driver, mine)
      })
    },
  }
}

/** Runs a call to a driver; what fails is told as the step that it is. */
async function step(name: string | undefined, work: () => Promise<void>) {
  try {
    await work()
  } catch (error) {
    if (error instanceof VolumeError) throw error
    throw new VolumeError((error as Error).message, { cause: error, ...(name && { step: name }) })
  }
}

/** Whether a driver takes volumes of this life (API doc: CSIDriverSpec.volumeLifecycleModes). */
function checkMode({ driver, ephemeral }: CsiVolume, object: CSIDriver | undefined) {
  const mode = ephemeral ? 'Ephemeral' : 'Persistent'
  const modes: readonly string[] = object?.spec.volumeLifecycleModes ?? ['Persistent']
  if (modes.includes(mode)) return
  throw new VolumeError(
    `kubernetes.io/csi: mounter.SetupAt failed to check volume lifecycle mode: volume mode ${JSON.stringify(mode)} ` +
      `not supported by driver ${driver} ${object ? `(only supports ${JSON.stringify(modes)})` : '(no CSIDriver object)'}`,
  )
}
