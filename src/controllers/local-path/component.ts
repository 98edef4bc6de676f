/**
 * The provisioner of local volumes: folders on the disks of nodes for claims of the class `local-path`, without
 * anything to install. It is an external provisioner like any other (API doc: StorageClass.provisioner): it follows
 * claims and volumes, and owns neither binding nor phases.
 */
import { Node } from '../../api/kinds/core/node.ts'
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import { StorageClass } from '../../api/kinds/storage/storage-class.ts'
import type { Client } from '../../client/client.ts'
import { createEventRecorder, type EventRecorder } from '../../client/event-recorder.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Informers } from '../../client/informers.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import { ensureClass } from '../../control/ensure-class.ts'
import type { Component } from '../../control/lifetime.ts'
import { workOff } from '../../control/work-off.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import { expand, isGrowing } from './expand.ts'
import { DEFAULT_CLASS, PROVISIONER } from './names.ts'
import { expandOnNodes, isPending } from './node-expansion.ts'
import { createNodeVolumes, type NodeVolumes } from './node-volumes.ts'
import { isWanted, provision } from './provision.ts'
import { isOver, reclaim } from './reclaim.ts'

/** First and longest wait before a volume is tried again, ms. */
const BACK_OFF = { backOff: 250, backOffMax: 300_000 }

export interface LocalPathOptions {
  /** As the provisioner's own account. */
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly logger: Logger
}

export interface LocalPathDeps extends LocalPathOptions {
  readonly events: EventRecorder
  readonly nodeVolumes: NodeVolumes
}

const isUp = (node: Node | undefined) => node !== undefined && isReady(node)

/** Makes the component. */
export const localPathProvisioner = (options: LocalPathOptions): Component => ({
  name: 'local-path-provisioner',
  async run(signal) {
    const { client, informers, clock, logger } = options
    await ensureStorageClass(client)
    const events = createEventRecorder(client.transport, { component: PROVISIONER }, { clock, logger }, signal)
    const deps = { ...options, events, nodeVolumes: createNodeVolumes(client.transport) }
    const claims = informers.of<PersistentVolumeClaim>(PersistentVolumeClaim)
    const volumes = informers.of<PersistentVolume>(PersistentVolume)
    const classes = informers.of<StorageClass>(StorageClass)
    const nodes = informers.of<Node>(Node)
    await Promise.all([claims, volumes, classes, nodes].map(each => each.synced()))
    const queue = createWorkQueue<string>(clock, BACK_OFF)
    const seeClaim = (claim: PersistentVolumeClaim | undefined) =>
      claim && (isWanted(claim) || isGrowing(claim) || isPending(claim)) && queue.add(`claim ${keyOf(claim)}`)
    const seeVolume = (volume: PersistentVolume | undefined) =>
      volume && isOver(volume) && queue.add(`volume ${keyOf(volume)}`)
    const seeAll = () => {
      claims.list().forEach(seeClaim)
      volumes.list().forEach(seeVolume)
    }
    const ends = [
      claims.onChange(({ current }) => seeClaim(current)),
      volumes.onChange(({ current }) => seeVolume(current)),
      classes.onChange(({ current }) => current?.provisioner === PROVISIONER && seeAll()),
      nodes.onChange(({ previous, current }) => isUp(previous) !== isUp(current) && seeAll()),
    ]

    async function work(key: string) {
      const [kind, name = ''] = key.split(' ')
      const volume = kind === 'volume' ? volumes.get(name) : undefined
      const claim = kind === 'claim' ? claims.get(name) : undefined
      if (volume && isOver(volume)) return reclaim(deps, volume)
      if (claim && isWanted(claim)) return provision(deps, claim)
      if (claim && isPending(claim)) return expandOnNodes(deps, claim)
      if (claim && isGrowing(claim)) return expand(deps, claim)
    }
    await workOff(queue, { work, what: 'key', problem: 'a local volume could not be cared for', logger }, signal)
    for (const end of ends) end()
  },
})

/** A cluster has a class from the start, which is the default where there is no other. */
const ensureStorageClass = (client: Client) =>
  ensureClass<StorageClass>(
    client.kind(StorageClass),
    {
      apiVersion: StorageClass.apiVersion,
      kind: StorageClass.kind,
      metadata: { name: DEFAULT_CLASS },
      provisioner: PROVISIONER,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    },
    'storageclass.kubernetes.io/is-default-class',
  )
