/** The images of a store, as a node's are looked after. */
import type { Image, ImageStore } from '../../images/store.ts'
import type { NodeImage, RuntimeImages } from '../runtime.ts'

const shown = ({ id, names, digests, size }: Image): NodeImage => ({ id, names, digests, size })

/** `open` gives the store, which may be loaded by it: not to be told that it is empty. */
export function storeImages(open: () => Promise<ImageStore>, isEmpty: () => boolean): RuntimeImages {
  return {
    list: async () => (isEmpty() ? [] : (await open()).list().map(shown)),
    importArchive: async file =>
      (await (await open()).import(file)).flatMap(({ names, id }) => (names.length ? names : [id])),
    remove: async name => (await open()).remove(name),
  }
}
