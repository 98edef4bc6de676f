import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Service } from '../../api/kinds/core/service.ts'
import { sleep } from '../../lib/clock.ts'
import { getList } from '../api.ts'
import { applyObjects } from '../apply/apply-objects.ts'
import { type Manifest, readManifests } from '../apply/manifests.ts'
import { defineCommand } from '../command.ts'
import type { Connection, Context } from '../context.ts'
import { UserError } from '../context.ts'
import { inContainers } from '../example/in-containers.ts'
import { readInstance } from '../instance.ts'
import { writeKubeconfigs } from '../kubeconfig.ts'
import { paint } from '../output/color.ts'
import { withProgress } from '../output/progress.ts'
import { importArchive, nodeNames } from '../resources/node-images.ts'
import { waitUntilReady } from '../resources/wait-ready.ts'

/** The folder of the examples: of the checkout or of the installed package. */
const examplesFolder = () =>
  ['../../../examples', '../examples', '../../examples'].map(path => join(import.meta.dirname, path)).find(existsSync)

/** Where a person reaches the services of type LoadBalancer of a namespace. */
async function addresses({ transport }: Connection, namespace: string): Promise<string[]> {
  const services = await getList<Service>(transport, `/api/v1/namespaces/${namespace}/services`)
  return services
    .filter(service => service.spec?.type === 'LoadBalancer')
    .flatMap(service =>
      (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) =>
        (service.spec?.ports ?? []).map(({ port }) => `http://${ip}:${port}`),
      ),
    )
}

/** The address, once it is written and answers. */
async function answering(context: Context, connection: Connection, namespace: string): Promise<string> {
  const end = context.clock.now() + 30_000
  for (let last = 'it has no address'; ; await sleep(context.clock, 50, context.signal)) {
    const [address] = await addresses(connection, namespace)
    if (address) {
      const response = await fetch(address).catch((error: Error) => error)
      if (response instanceof Response && response.ok) return address
      last = response instanceof Response ? `${address} answers ${response.status}` : `${address}: ${response.message}`
    }
    if (context.signal.aborted || context.clock.now() > end)
      throw new UserError(
        `the storefront does not answer: ${last}`,
        `What holds it up: tutti why svc/storefront -n ${namespace}`,
      )
  }
}

/** Services of the shop that go into containers when that is asked for; they and the processes call each other. */
const CONTAINED = ['catalog', 'payments-v1', 'payments-v2', 'storefront']

/** Makes the example's image, puts it on every node, and has some of its services run it. */
async function contained(
  context: Context,
  connection: Connection,
  name: string,
  folder: string,
  objects: readonly Manifest[],
): Promise<readonly Manifest[]> {
  const { exampleImage, exampleImageName, IMAGE_FOLDER } = await import('../example/image.ts')
  const archive = exampleImage(name, folder)
  for (const node of await nodeNames(connection)) {
    await withProgress(context, `bringing the image to ${node}`, () =>
      importArchive(connection, node, '', Readable.from([archive]), context.signal),
    )
  }
  return inContainers(objects, CONTAINED, { image: exampleImageName(name), folder, imageFolder: IMAGE_FOLDER })
}

export const example = defineCommand({
  name: 'example',
  arguments: '[name]',
  summary: 'bring the cluster up and run an example in it: shop',
  options: [
    { flags: '--detach', description: 'return when the example is ready, instead of staying until Ctrl-C' },
    { flags: '--containers', description: 'run catalog, payments and storefront in containers of an image made here' },
  ],
  async run([name = 'shop'], options, context) {
    const folder = join(examplesFolder() ?? '', name)
    const manifests = join(folder, 'manifests')
    if (!existsSync(manifests))
      throw new UserError(
        `there is no example "${name}"`,
        `There are: ${readdirSync(examplesFolder() ?? '.').join(', ')}`,
      )
    const { io, clock, launcher, dataDir } = context
    const tell = (text: string) => {
      if (!context.json) io.out(text)
    }
    const began = clock.now()
    if (!readInstance(dataDir))
      await withProgress(context, 'starting Tutti', say => launcher.start({ dataDir }, say, context.signal))
    const instance = readInstance(dataDir)
    if (!instance) throw new UserError('Tutti did not stay up', `Look into ${join(dataDir, 'tutti.log')}`)
    const { notes } = await writeKubeconfigs(context, instance)
    tell(
      `${paint(io, 'bold', `Tutti ${instance.version}`)} is up: ${instance.server}, network ${instance.network.mode} (${((clock.now() - began) / 1000).toFixed(1)} s)\n`,
    )
    for (const note of notes) tell(`note: ${note}\n`)

    const connection = await context.connect()
    const data = join(dataDir, 'examples', name)
    mkdirSync(data, { recursive: true })
    const read = await readManifests([manifests], io.stdin, { SHOP_DIR: folder, SHOP_DATA: data })
    const objects = options.containers ? await contained(context, connection, name, folder, read) : read
    await applyObjects(connection.transport, objects, { namespace: name, force: true })
    const names = objects.filter(object => object.kind === 'Deployment').map(object => object.metadata.name ?? '')
    await withProgress(context, `starting ${names.length} services`, say =>
      waitUntilReady(connection.transport, {
        namespace: name,
        names,
        signal: context.signal,
        clock,
        timeoutMs: 120_000,
        onChange: say,
        onReady: ready =>
          tell(
            `  ${paint(io, 'green', '✓')} ${ready.padEnd(14)} ready after ${((clock.now() - began) / 1000).toFixed(1)} s\n`,
          ),
      }),
    )
    const address = await withProgress(context, 'waiting for the storefront', () =>
      answering(context, connection, name),
    )
    if (context.json) io.out(`${JSON.stringify({ address, namespace: name, seconds: (clock.now() - began) / 1000 })}\n`)
    tell(`\n${paint(io, 'bold', 'The storefront')}: ${paint(io, 'cyan', address)}\n\n`)
    tell(
      `Try next:\n  kubectl -n ${name} get deployments,pods\n  kubectl -n ${name} scale deployment storefront --replicas 5\n  kubectl -n ${name} delete pod -l app=payments,version=v2 ${paint(io, 'dim', '# and see it come back')}\n`,
    )
    if (options.detach) return 0
    tell(`\n${paint(io, 'dim', 'Ctrl-C leaves the shop; it runs on until "tutti down".')}\n`)
    await new Promise<void>(resolve => {
      const keepAlive = setInterval(() => {}, 2 ** 30)
      context.signal.addEventListener(
        'abort',
        () => {
          clearInterval(keepAlive)
          resolve()
        },
        { once: true },
      )
    })
    return 0
  },
})
