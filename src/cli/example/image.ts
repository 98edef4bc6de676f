/** An example's services as an image, made on this machine: Node, what it loads, and the example's folder. No registry. */
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ociArchive } from '../../lib/oci-archive.ts'
import { sharedLibraries } from '../../lib/shared-libraries.ts'
import type { TarEntry } from '../../lib/tar.ts'
import { UserError } from '../context.ts'

/** Where the image has the example's folder. */
export const IMAGE_FOLDER = '/app'
export const exampleImageName = (name: string): string => `tutti.dev/example-${name}:1`

/** Files below a folder; links and what npm left are not of it. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map(entry => join(entry.parentPath, entry.name))
}

/** The archive, as `tutti image import` takes it; some 130 MB, of which Node is nearly all. */
export function exampleImage(name: string, folder: string): Buffer {
  const file = (path: string, from: string, mode = 0o644): TarEntry => ({
    name: path.slice(1),
    bytes: readFileSync(realpathSync(from)),
    mode,
  })
  if (process.platform !== 'linux') throw new UserError('the image cannot be made: it needs Linux')
  const libraries = sharedLibraries(process.execPath)
  const own = filesOf(folder).map(path => file(join(IMAGE_FOLDER, relative(folder, path)), path))
  return ociArchive({
    name: exampleImageName(name),
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      WorkingDir: IMAGE_FOLDER,
      Cmd: ['node'],
    },
    layers: [
      [
        file('/usr/local/bin/node', process.execPath, 0o755),
        ...libraries.map(path => file(path, path, 0o755)),
        { name: 'etc/passwd', bytes: Buffer.from('root:x:0:0:root:/root:/sbin/nologin\n') },
        { name: 'etc/group', bytes: Buffer.from('root:x:0:\n') },
        { name: 'tmp/', mode: 0o1777 },
        ...own,
      ],
    ],
  })
}
