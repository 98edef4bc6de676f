/** An API server and the agent of one node in the test's own process: real processes, real time, no port. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Agent, startAgent } from '../../../src/agent/agent.ts'
import { openImageStore } from '../../../src/agent/images/store.ts'
import { pods, serviceAccounts } from '../../../src/agent/resources.ts'
import { mountLayers } from '../../../src/agent/runtimes/overlay.ts'
import { openProcessDriver } from '../../../src/agent/runtimes/process/driver.ts'
import type { Pod, Volume } from '../../../src/api/generated/types/core-v1.ts'
import { kinds } from '../../../src/api/kinds/all.ts'
import { extendServer } from '../../../src/apiserver/bootstrap/extend.ts'
import { remoteNodes } from '../../../src/apiserver/nodes/remote-nodes.ts'
import { createApiServer } from '../../../src/apiserver/server.ts'
import { requireKind } from '../../../src/apiserver/subresources/request-parts.ts'
import { createClient } from '../../../src/client/client.ts'
import type { NodeApi, NodeDirectory } from '../../../src/client/node-api.ts'
import { realClock } from '../../../src/lib/clock.ts'
import { eventually, PATIENCE } from '../../../src/lib/eventually.fixture.ts'
import { silent } from '../../../src/lib/log.ts'
import { removeTree } from '../../../src/lib/mounts.ts'
import { createAuthority, issueCertificate } from '../../../src/lib/pki/certificate.ts'
import { memoryStore } from '../../../src/store/memory/memory.ts'
import { hostNetwork } from './networks.ts'

const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: '',
}

export type Node = Awaited<ReturnType<typeof startNode>>

/** A cluster's authority, and what an API server and a node show to each other. */
async function makeTrust() {
  const now = realClock.now()
  const authority = await createAuthority({ commonName: 'kubernetes', now, lifetime: HOUR })
  const issue = (usage: 'client' | 'server', commonName: string, hosts: string[] = []) =>
    issueCertificate(authority, { usage, commonName, hosts, now, lifetime: HOUR })
  return {
    authority: authority.certificate,
    issue,
    serving: await issue('server', 'system:node:n1', ['127.0.0.1']),
    client: () => issue('client', 'kube-apiserver-kubelet-client'),
  }
}
const HOUR = 3_600_000

/** The store of a node that runs images without a container runtime, with those of an archive. */
async function imagesOf(directory: string, archive: Buffer) {
  const folder = join(directory, 'image-store')
  const store = openImageStore({
    folder,
    clock: realClock,
    mirrors: () => [],
    ca: () => undefined,
    mount: mountLayers(join(folder, 'layers')),
    owners: true,
  })
  const file = join(directory, 'archive.tar')
  writeFileSync(file, archive)
  await store.import(file)
  return { open: async () => store, toolsFolder: join(directory, 'tools') }
}

/**
 * Starts both. `namespaces: false` is the portable mode; with `remote` the API server reaches the node over HTTPS, as on
 * another machine; the images of `archive` are there.
 */
export async function startNode(options: { namespaces?: boolean; remote?: boolean; archive?: Buffer } = {}) {
  const trust = options.remote ? await makeTrust() : undefined
  const directory = mkdtempSync(join(tmpdir(), 'tutti-agent-'))
  const clock = realClock
  const store = memoryStore({ clock })
  const nodes = new Map<string, NodeApi>()
  let reach: NodeDirectory = name => nodes.get(name)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const tokenKey = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const server = await createApiServer({
    store,
    kinds,
    clock,
    logger: silent,
    version: VERSION,
    extend: registry => {
      const reader = (key: string) => registry.reader(requireKind(registry, key))
      if (trust) reach = remoteNodes({ nodes: reader('v1/nodes'), pods: reader('v1/pods'), trust })
      return extendServer(registry, { clock, logger: silent, tokenKey, nodes: name => reach(name) })
    },
  })
  const admin = createClient(
    server.transport({ name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }),
  )
  const nodeUser = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
  const images = options.archive && (await imagesOf(directory, options.archive))
  const runtime = () =>
    openProcessDriver({
      ...(images && { images }),
      podsDirectory: join(directory, 'pods'),
      cgroupRoot: `tutti-test-${process.pid}`,
      clock,
      logger: silent,
      ...options,
    })
  let driver = await runtime()
  let abort = new AbortController()
  let agent: Agent
  const run = async () => {
    abort = new AbortController()
    agent = await startAgent(
      {
        transport: server.transport(nodeUser),
        clock,
        logger: silent,
        nodeName: 'n1',
        dataDir: directory,
        manifests: join(directory, 'manifests'),
        runtimes: [driver],
        podNetwork: hostNetwork,
        serviceEnv: () => ({ KUBERNETES_SERVICE_HOST: '10.96.0.1' }),
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        ...(trust && {
          server: { hosts: ['127.0.0.1'], port: 0, clientCa: trust.authority, certificate: trust.serving },
        }),
      },
      abort.signal,
    )
    nodes.set('n1', agent.api)
  }
  await run()
  const pod = (name: string, spec: object, metadata: object = {}): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...metadata },
    spec: {
      nodeName: 'n1',
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 5,
      ...spec,
    } as Pod['spec'] & object,
  })
  const client = admin.kind(pods)
  const create = (name: string, spec: object, metadata?: object) =>
    client.create(structuredClone(pod(name, spec, metadata)))
  /** Waits until the pod is as wanted; the test fails with what it is otherwise. */
  async function until(name: string, wanted: (pod: Pod | undefined) => boolean): Promise<Pod> {
    let found: Pod | undefined
    await eventually(async () => {
      found = await client.find({ namespace: 'default', name })
      assert.ok(wanted(found), `pod ${name} is not as wanted: ${JSON.stringify(found?.status, null, 1)}`)
    }, 5)
    return found as Pod
  }
  const ended = (name: string) => until(name, found => /Succeeded|Failed/.test(found?.status?.phase ?? ''))
  async function log(pod: Pod, container: string, more: object = {}): Promise<string> {
    const { namespace = '', name = '', uid = '' } = pod.metadata ?? {}
    const chunks: Uint8Array[] = []
    const options = { container, ...more }
    for await (const chunk of await agent.api.logs({ namespace, name, uid }, options, AbortSignal.timeout(PATIENCE))) {
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString()
  }
  return {
    admin,
    directory,
    trust,
    server,
    /** The node as the API server reaches it. */
    reached: () => reach('n1')!,
    nodePort: () => agent.server?.port ?? 0,
    api: () => agent.api,
    driver: () => driver,
    pod,
    pods: client,
    create,
    until,
    /** Waits until the pod has succeeded or failed. */
    ended,
    log,
    /** What the container `main` of a pod printed until the pod ended. */
    async printed(name: string, spec: object): Promise<string> {
      await create(name, spec)
      return log(await ended(name), 'main')
    },
    /** Makes the account that pods of the namespace `default` run as. */
    createAccount: () =>
      admin
        .kind(serviceAccounts)
        .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } }),
    /** Ends the agent as a crash would and starts it again. */
    async restart(between: () => Promise<void> = async () => {}) {
      abort.abort()
      await agent.ended
      await driver.close()
      await between()
      driver = await runtime()
      await run()
    },
    async close() {
      for (const each of await client.listAll()) {
        await client.delete({ namespace: 'default', name: each.metadata?.name ?? '' }, { gracePeriodSeconds: 0 })
      }
      abort.abort()
      for (const { id } of await driver.listSandboxes()) await driver.removeSandbox(id)
      await driver.close()
      await server.close()
      await store.close()
      await removeTree(directory)
    },
  }
}

/** The pod is ready. */
export const isReady = (pod: Pod | undefined) =>
  pod?.status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True') ?? false

/** The spec of a pod that runs a script once, with a volume at /mnt. */
export const mounting = (volume: Omit<Volume, 'name'>, script: string, mount: object = {}, more: object = {}) => ({
  volumes: [{ name: 'v', ...volume }],
  restartPolicy: 'Never',
  containers: [
    {
      name: 'main',
      image: 'host',
      command: ['/bin/sh', '-c', script],
      volumeMounts: [{ name: 'v', mountPath: '/mnt', ...mount }],
    },
  ],
  ...more,
})
