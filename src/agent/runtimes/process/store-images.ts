/** The images of processes: a store's, and the machine's own files. */
import type { Image, ImageStore } from '../../images/store.ts'
import { fullImageName } from '../image-name.ts'
import { type FoundImage, type NodeImage, type RuntimeDriver, RuntimeError, type RuntimeImages } from '../runtime.ts'

/** The name that stands for the machine's own files. */
export const isHostImage = (image: string): boolean =>
  image === 'host' || image === 'host:latest' || image === 'docker.io/library/host'

const hostImage = (): FoundImage => ({ imageId: '', user: process.getuid?.() ?? 0, builtIn: true })

function found({ config, digests, id, size }: Image): FoundImage {
  const user = config.config?.User?.split(':')[0]
  return { imageId: digests[0] ?? id, size, ...(user ? { user: /^\d+$/.test(user) ? Number(user) : user } : {}) }
}

/** A runtime's part that finds and pulls. `open` gives no store where only the machine's files are there. */
export function processImages(
  open: () => Promise<ImageStore | undefined>,
  signal: AbortSignal,
): Pick<RuntimeDriver, 'findImage' | 'pullImage'> {
  async function need(name: string): Promise<ImageStore> {
    const store = await open()
    if (store) return store
    throw new RuntimeError(
      'ImageNotSupported',
      `image "${name}" needs a container runtime, and this pod runs on the process runtime, which has only the ` +
        'machine\'s own files: set "image: host" to run the command as a process, or choose a RuntimeClass of a node ' +
        'that runs containers',
    )
  }
  return {
    async findImage(name) {
      if (isHostImage(name)) return hostImage()
      const image = (await need(name)).get(fullImageName(name))
      return image && found(image)
    },
    async pullImage(name, proof) {
      const store = await need(name)
      const full = fullImageName(name)
      try {
        return found(await store.pull(full, proof ? [proof] : [], signal))
      } catch (error) {
        throw new RuntimeError('ErrImagePull', (error as Error).message, { cause: error })
      }
    },
  }
}

const shown = ({ id, names, digests, size }: Image): NodeImage => ({ id, names, digests, size })

/** A store's images, as a node's are looked after. `open` may load it: not to be told that it is empty. */
export function storeImages(open: () => Promise<ImageStore>, isEmpty: () => boolean): RuntimeImages {
  return {
    list: async () => (isEmpty() ? [] : (await open()).list().map(shown)),
    importArchive: async file =>
      (await (await open()).import(file)).flatMap(({ names, id }) => (names.length ? names : [id])),
    remove: async name => (await open()).remove(name),
  }
}
