/** The images of the cluster's nodes: they are asked one by one, through the API server. */
import { spawn } from 'node:child_process'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { isMissing, request } from '../api.ts'
import { defineCommand, type Options } from '../command.ts'
import { type Context, UserError } from '../context.ts'
import { withProgress } from '../output/progress.ts'
import { textTable } from '../output/table.ts'
import { importArchive, nodeNames, nodePath } from '../resources/node-images.ts'

interface NodeImage {
  readonly id: string
  readonly names: readonly string[]
  readonly digests: readonly string[]
  readonly size: number
  readonly handlers: readonly string[]
}

/** An archive's bytes; those of a folder with an OCI layout as the archive that it would be. */
function openArchive(path: string): Readable {
  if (!existsSync(path)) throw new UserError(`there is no file ${path}`)
  if (!statSync(path).isDirectory()) return createReadStream(path)
  if (!existsSync(join(path, 'oci-layout')))
    throw new UserError(`${path} is no OCI image layout: it has no file "oci-layout"`, 'Name a tar file or a layout.')
  return spawn('tar', ['-C', path, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

async function importAll(files: readonly string[], options: Options, context: Context) {
  if (files.length === 0) throw new UserError('name at least one archive', 'tutti image import app.tar')
  const connection = await context.connect()
  const handler = (options.runtimeClass as string | undefined) ?? ''
  const names = new Set<string>()
  for (const node of await nodeNames(connection, options.node as readonly string[] | undefined))
    for (const file of files) {
      const imported = await withProgress(context, `importing ${file} to ${node}`, () =>
        importArchive(connection, node, handler, openArchive(file), context.signal),
      )
      for (const name of imported) names.add(name)
    }
  if (context.json) context.io.out(`${JSON.stringify({ names: [...names] })}\n`)
  else for (const name of names) context.io.out(`${name}\n`)
}

async function list(options: Options, context: Context) {
  const connection = await context.connect()
  const rows: { node: string; image: NodeImage }[] = []
  for (const node of await nodeNames(connection, options.node as readonly string[] | undefined)) {
    const answer = await request(connection.transport, { method: 'GET', path: nodePath(node, '') })
    for (const image of (answer as { images: readonly NodeImage[] }).images) rows.push({ node, image })
  }
  if (context.json) return context.io.out(`${JSON.stringify(rows.map(({ node, image }) => ({ node, ...image })))}\n`)
  const cells = rows.flatMap(({ node, image }) => {
    const names = image.names.length > 0 ? image.names : image.digests.slice(0, 1)
    const rest = [image.id.replace('sha256:', '').slice(0, 12), megabytes(image.size), node]
    return (names.length > 0 ? names : ['<none>']).map(name => [name, ...rest])
  })
  cells.sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
  context.io.out(`${textTable(['NAME', 'ID', 'SIZE', 'NODE'], cells)}\n`)
}

function unlessMissing(error: unknown): false {
  if (isMissing(error)) return false
  throw error
}

async function remove(names: readonly string[], options: Options, context: Context) {
  if (names.length === 0) throw new UserError('name at least one image', 'tutti image remove app:1')
  const connection = await context.connect()
  for (const name of names) {
    let found = false
    for (const node of await nodeNames(connection, options.node as readonly string[] | undefined)) {
      const removed = request(connection.transport, { method: 'DELETE', path: nodePath(node, ''), query: { name } })
      found = (await removed.then(() => true, unlessMissing)) || found
    }
    if (!found) throw new UserError(`no node has an image ${name}`, 'tutti image list shows what there is.')
    context.io.out(`${name} removed\n`)
  }
}

async function prune(options: Options, context: Context) {
  const connection = await context.connect()
  let bytes = 0
  let count = 0
  for (const node of await nodeNames(connection, options.node as readonly string[] | undefined)) {
    const answer = await request(connection.transport, { method: 'POST', path: nodePath(node, '/prune') })
    for (const image of (answer as { removed: readonly NodeImage[] }).removed) {
      count++
      bytes += image.size
      context.io.out(`${image.names[0] ?? image.id} removed from ${node}\n`)
    }
  }
  context.io.out(`${count} images, ${megabytes(bytes)}\n`)
}

export const image = defineCommand({
  name: 'image',
  arguments: '<what> [arguments...]',
  summary: 'images on the nodes: image import app.tar, image list, image remove app:1, image prune',
  help: `  tutti image import FILE...    an OCI image layout (a folder, or in a tar file), or what "docker save" writes
  tutti image list
  tutti image remove NAME...
  tutti image prune             removes images that no container is made of

Archives in DATA_DIR/images are imported when a node starts.`,
  options: [
    { flags: '--node <name>', description: 'this node, instead of all', repeatable: true },
    { flags: '--runtime-class <handler>', description: 'the runtime that shall run them, where a node has several' },
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([what = '', ...args], options, context) {
    if (what === 'import') await importAll(args, options, context)
    else if (what === 'list') await list(options, context)
    else if (what === 'remove') await remove(args, options, context)
    else if (what === 'prune') await prune(options, context)
    else throw new UserError(`there is no "tutti image ${what}"`, 'There are import, list, remove and prune.')
    return 0
  },
})
