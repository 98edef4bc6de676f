/**
 * Files of images out of containerd's own snapshots, for releases whose CRI does not mount images (before 2.1): a view of
 * an image's topmost layer, which is named after the folder where it is seen, and kept by containerd until it is removed.
 */
import { dirname, relative } from 'node:path'
import { CallError, type Channel, CODE } from '../../../lib/grpc/channel.ts'
import type { ImageFoldersDeps } from '../image-folders.ts'
import { RuntimeError } from '../runtime.ts'
import { empty, mountsResponse, snapshotRequest, viewRequest } from './messages.ts'
import type { CriCall } from './services.ts'

const SERVICE = 'containerd.services.snapshots.v1.Snapshots'
/** In which containerd's CRI plugin works. */
const NAMESPACE = { 'containerd-namespace': 'k8s.io' }
const SNAPSHOTTER = 'overlayfs'
/** With it containerd collects nothing of a snapshot. */
const ROOT_LABEL = 'containerd.io/gc.root'

type Mounts = Awaited<ReturnType<ImageFoldersDeps['layers']>>

/** The layers of what containerd would have mounted: an overlay of some, or a bind of one. */
function layersOf({ source, options }: { readonly source: string; readonly options: readonly string[] }): Mounts {
  const lower = options.find(each => each.startsWith('lowerdir='))
  const layers = lower ? lower.slice('lowerdir='.length).split(':').reverse() : [source]
  const folder = dirname(dirname(layers[0]!))
  return { folder, layers: layers.map(each => relative(folder, each)) }
}

export function snapshotFolders(channel: Channel, call: CriCall): ImageFoldersDeps {
  const options = { metadata: NAMESPACE }
  async function view(key: string, parent: string) {
    const labels = { [ROOT_LABEL]: key }
    const request = { snapshotter: SNAPSHOTTER, key, parent, labels }
    try {
      return await channel.call(SERVICE, 'View', [viewRequest, mountsResponse], request, options)
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== CODE.alreadyExists) throw error
      return channel.call(SERVICE, 'Mounts', [snapshotRequest, mountsResponse], request, options)
    }
  }
  return {
    async layers(image, folder) {
      const { info } = await call('ImageStatus', { image: { image }, verbose: true })
      if (!info.info) throw new RuntimeError('CreateContainerError', `image "${image}" is not present any more`)
      const { chainID } = JSON.parse(info.info) as { chainID?: string }
      const { mounts } = await view(folder, chainID ?? '')
      if (mounts.length !== 1) throw new RuntimeError('CreateContainerError', `image "${image}" cannot be mounted`)
      return layersOf(mounts[0]!)
    },
    async left(key) {
      try {
        const request = { snapshotter: SNAPSHOTTER, key }
        await channel.call(SERVICE, 'Remove', [snapshotRequest, empty], request, options)
      } catch (error) {
        if (!(error instanceof CallError) || error.code !== CODE.notFound) throw error
      }
    },
  }
}
