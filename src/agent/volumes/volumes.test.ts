import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { ConfigMap, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import { createClaimSource } from './claims.ts'
import { createPodVolumes, tearDownVolumes } from './set-up.ts'

const root = mkdtempSync(join(tmpdir(), 'tutti-volumes-'))
after(() => rmSync(root, { recursive: true, force: true }))

/** Where an image's files would be. */
const images = async (volume: string, subPath: string) => ({ hostPath: join('/images', volume, subPath) })

describe('createPodVolumes', () => {
  let serial = 0
  const configs = new Map<string, ConfigMap>()
  const make = (volumes: Volume[], labels: Record<string, string> = {}) => {
    const pod: Pod = { metadata: { name: 'p', namespace: 'ns', labels }, spec: { containers: [], volumes } }
    const directory = join(root, String(++serial))
    const set = createPodVolumes(pod, directory, {
      objects: { configMap: name => configs.get(name), secret: () => undefined },
      addresses: { podIPs: [], hostIPs: [] },
      allocatable: {},
      csi: undefined,
      claims: createClaimSource(undefined as never, 'node'),
      mountable: false,
      token: async ({ audience }) => `token for ${audience ?? 'the cluster'}`,
    })
    const path = async (name: string, more: object = {}) => {
      const container = { name: 'c', volumeMounts: [{ name, mountPath: '/v', ...more }] }
      return (await set.mountsOf(container, { SUB: 'of-env', NONE: '' }, images))[0]!.hostPath
    }
    return { set, pod, path, directory }
  }

  it('replaces all files of a ConfigMap in one step', async () => {
    configs.set('c', { data: { a: '1', b: '1' } })
    const { set, pod, path } = make([{ name: 'v', configMap: { name: 'c' } }])
    await set.setUp()
    const at = await path('v')
    const first = readlinkSync(join(at, '..data'))
    assert.equal(readlinkSync(join(at, 'a')), '..data/a')
    await set.refresh(pod)
    assert.equal(readlinkSync(join(at, '..data')), first)
    configs.set('c', { data: { a: '2', d: '2' } })
    await set.refresh(pod)
    assert.notEqual(readlinkSync(join(at, '..data')), first)
    assert.equal(readFileSync(join(at, 'a'), 'utf8'), '2')
    assert.deepEqual(
      readdirSync(at).filter(name => !name.startsWith('..')),
      ['a', 'd'],
    )
    assert.equal(readdirSync(at).length, 4)
  })

  it('gives items their paths and modes', async () => {
    configs.set('m', { data: { a: 'text' }, binaryData: { b: Buffer.from([0, 255]).toString('base64') } })
    const items = [
      { key: 'a', path: 'deep/er', mode: 0o400 },
      { key: 'b', path: 'raw' },
    ]
    const { set, path } = make([{ name: 'v', configMap: { name: 'm', items, defaultMode: 0o640 } }])
    await set.setUp()
    const at = await path('v')
    assert.equal(statSync(join(at, 'deep/er')).mode & 0o777, 0o400)
    assert.equal(statSync(join(at, 'raw')).mode & 0o777, 0o640)
    assert.deepEqual([...readFileSync(join(at, 'raw'))], [0, 255])
  })

  it('puts several sources into one projected volume', async () => {
    configs.set('p', { data: { ca: 'certificate' } })
    const sources = [
      { serviceAccountToken: { path: 'token', audience: 'vault' } },
      { configMap: { name: 'p' } },
      { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    ]
    const { set, pod, path } = make([{ name: 'v', projected: { sources } }], { b: '2', a: '1' })
    await set.setUp()
    const at = await path('v')
    assert.equal(readFileSync(join(at, 'token'), 'utf8'), 'token for vault')
    assert.equal(readFileSync(join(at, 'ca'), 'utf8'), 'certificate')
    assert.equal(readFileSync(join(at, 'labels'), 'utf8'), 'a="1"\nb="2"')
    await set.refresh({ ...pod, metadata: { ...pod.metadata, labels: { c: '3' } } })
    assert.equal(readFileSync(join(at, 'labels'), 'utf8'), 'c="3"')
  })

  it('keeps an emptyDir and makes sub paths in it', async () => {
    const { set, path } = make([{ name: 'v', emptyDir: {} }])
    await set.setUp()
    const at = await path('v')
    assert.equal(statSync(at).mode & 0o7777, 0o777)
    writeFileSync(join(at, 'kept'), '')
    await set.setUp()
    assert.ok(existsSync(join(at, 'kept')))
    assert.ok((await path('v', { subPath: 'a/b' })).endsWith('/a/b'))
    assert.equal(statSync(join(at, 'a/b')).mode & 0o7777, 0o777)
    assert.ok((await path('v', { subPathExpr: 'x-$(SUB)-$$(SUB)' })).endsWith('/x-of-env-$(SUB)'))
    await assert.rejects(path('v', { subPathExpr: '$(NO)-$(NONE)' }), /^Error: missing value for NO, NONE$/)
    await assert.rejects(path('v', { subPath: '../out' }), /must not contain '\.\.'/)
    symlinkSync('/etc', join(at, 'link'))
    await assert.rejects(
      path('v', { subPath: 'link' }),
      /failed to prepare subPath for volumeMount "v" of container "c"/,
    )
    await assert.rejects(path('v', { subPath: 'link/new' }), /leads out of the volume/)
    assert.ok(!existsSync('/etc/new'))
  })

  it('mounts what only follows objects for reading, and the rest as the pod says', async () => {
    configs.set('r', { data: {} })
    const { set } = make([
      { name: 'c', configMap: { name: 'r' } },
      { name: 'e', emptyDir: {} },
    ])
    await set.setUp()
    const volumeMounts = ['c', 'e'].map(name => ({ name, mountPath: `/${name}` }))
    const mounts = await set.mountsOf({ name: 'c', volumeMounts }, {}, images)
    assert.deepEqual(
      mounts.map(each => each.readOnly),
      [true, false],
    )
  })

  const problems: [Volume, RegExp][] = [
    [{ name: 'v', configMap: { name: 'no' } }, /^MountVolume\.SetUp failed for volume "v" : configmap "no" not found$/],
    [{ name: 'v', secret: { secretName: 'no' } }, /secret "no" not found/],
    [
      { name: 'v', configMap: { name: 'x', items: [{ key: 'no', path: 'a' }] } },
      /references non-existent config key: no/,
    ],
    [{ name: 'v', configMap: { name: 'x', items: [{ key: 'k', path: '../a' }] } }, /must not contain '\.\.'/],
    [
      { name: 'v', hostPath: { path: '/no/such', type: 'Directory' } },
      /hostPath type check failed: \/no\/such is not a directory/,
    ],
    [{ name: 'v', hostPath: { path: '/etc/hostname', type: 'Socket' } }, /is not a socket file/],
    [{ name: 'v', hostPath: { path: '/no/such/file', type: 'FileOrCreate' } }, /no such file or directory/],
    [{ name: 'v', emptyDir: { medium: 'HugePages-2Mi' } }, /medium HugePages-2Mi is not supported by this node/],
    [{ name: 'v', nfs: { server: 's', path: '/' } }, /volumes of NFS need a node that may mount/],
    [{ name: 'v', iscsi: { targetPortal: 's', iqn: 'i', lun: 0 } }, /volume type iscsi is not supported by this node/],
    [
      { name: 'v', projected: { sources: [{ clusterTrustBundle: { path: 'x' } }] } },
      /clusterTrustBundle are not supported/,
    ],
  ]
  for (const [volume, message] of problems) {
    it(`refuses ${JSON.stringify(volume)}`, async () => {
      configs.set('x', { data: { k: 'v' } })
      await assert.rejects(make([volume]).set.setUp(), { message })
    })
  }

  it('leaves out what is optional', async () => {
    const { set, path } = make([{ name: 'v', configMap: { name: 'no', optional: true } }])
    await set.setUp()
    const names = readdirSync(await path('v'))
    assert.deepEqual(
      names.filter(name => !name.startsWith('..')),
      [],
    )
  })

  it('is made anew once at a time, and one volume that fails leaves the others alone', async () => {
    configs.set('u', { data: { a: '0' } })
    configs.set('f', { data: { k: '0' } })
    const items = [{ key: 'k', path: 'k' }]
    const { set, pod, path } = make([
      { name: 'f', configMap: { name: 'f', items } },
      { name: 'v', configMap: { name: 'u' } },
    ])
    await set.setUp()
    configs.set('f', { data: {} })
    const passes = Array.from({ length: 20 }, async (_, at) => {
      configs.set('u', { data: { [`key-${at}`]: String(at) } })
      await assert.rejects(set.refresh(pod), /references non-existent config key: k/)
    })
    await Promise.all(passes)
    const names = readdirSync(await path('v'))
    assert.deepEqual(
      names.filter(name => !name.startsWith('..')),
      ['key-19'],
    )
    assert.equal(readFileSync(join(await path('v'), 'key-19'), 'utf8'), '19')
    assert.equal(readFileSync(join(await path('f'), 'k'), 'utf8'), '0')
  })

  it('leaves nothing of the former content when the next cannot be written', async () => {
    configs.set('w', { data: { a: '1', b: '2' } })
    const items = [
      { key: 'a', path: 'x' },
      { key: 'b', path: 'x/y' },
    ]
    const { set, directory } = make([{ name: 'v', configMap: { name: 'w', items } }])
    await assert.rejects(set.setUp(), /^Error: MountVolume\.SetUp failed for volume "v" : E/)
    assert.deepEqual(readdirSync(join(directory, 'volumes/kubernetes.io~configmap/v')), [])
  })

  it('is undone by what stands in the pod’s folder', async () => {
    const { set, directory } = make([{ name: 'v', emptyDir: {} }])
    await set.setUp()
    await tearDownVolumes(directory, { csi: undefined })
    assert.deepEqual(readdirSync(directory), [])
    await tearDownVolumes(directory, { csi: undefined })
  })
})
