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
import { createPodVolumes } from './set-up.ts'

const root = mkdtempSync(join(tmpdir(), 'tutti-volumes-'))
after(() => rmSync(root, { recursive: true, force: true }))

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
      fsGroup: undefined,
      mountable: false,
      token: async ({ audience }) => `token for ${audience ?? 'the cluster'}`,
    })
    const path = (name: string, more: object = {}) =>
      set.mountsOf({ name: 'c', volumeMounts: [{ name, mountPath: '/v', ...more }] }, { SUB: 'of-env' })[0]!.hostPath
    return { set, pod, path }
  }

  it('replaces all files of a ConfigMap in one step', async () => {
    configs.set('c', { data: { a: '1', b: '1' } })
    const { set, pod, path } = make([{ name: 'v', configMap: { name: 'c' } }])
    await set.setUp()
    const first = readlinkSync(join(path('v'), '..data'))
    assert.equal(readlinkSync(join(path('v'), 'a')), '..data/a')
    await set.refresh(pod)
    assert.equal(readlinkSync(join(path('v'), '..data')), first)
    configs.set('c', { data: { a: '2', d: '2' } })
    await set.refresh(pod)
    assert.notEqual(readlinkSync(join(path('v'), '..data')), first)
    assert.equal(readFileSync(join(path('v'), 'a'), 'utf8'), '2')
    assert.deepEqual(
      readdirSync(path('v')).filter(name => !name.startsWith('..')),
      ['a', 'd'],
    )
    assert.equal(readdirSync(path('v')).length, 4)
  })

  it('gives items their paths and modes', async () => {
    configs.set('m', { data: { a: 'text' }, binaryData: { b: Buffer.from([0, 255]).toString('base64') } })
    const items = [
      { key: 'a', path: 'deep/er', mode: 0o400 },
      { key: 'b', path: 'raw' },
    ]
    const { set, path } = make([{ name: 'v', configMap: { name: 'm', items, defaultMode: 0o640 } }])
    await set.setUp()
    assert.equal(statSync(join(path('v'), 'deep/er')).mode & 0o777, 0o400)
    assert.equal(statSync(join(path('v'), 'raw')).mode & 0o777, 0o640)
    assert.deepEqual([...readFileSync(join(path('v'), 'raw'))], [0, 255])
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
    assert.equal(readFileSync(join(path('v'), 'token'), 'utf8'), 'token for vault')
    assert.equal(readFileSync(join(path('v'), 'ca'), 'utf8'), 'certificate')
    assert.equal(readFileSync(join(path('v'), 'labels'), 'utf8'), 'a="1"\nb="2"')
    await set.refresh({ ...pod, metadata: { ...pod.metadata, labels: { c: '3' } } })
    assert.equal(readFileSync(join(path('v'), 'labels'), 'utf8'), 'c="3"')
  })

  it('keeps an emptyDir and makes sub paths in it', async () => {
    const { set, path } = make([{ name: 'v', emptyDir: {} }])
    await set.setUp()
    writeFileSync(join(path('v'), 'kept'), '')
    await set.setUp()
    assert.ok(existsSync(join(path('v'), 'kept')))
    assert.ok(path('v', { subPath: 'a/b' }).endsWith('/a/b'))
    assert.ok(path('v', { subPathExpr: 'x-$(SUB)' }).endsWith('/x-of-env'))
    assert.throws(() => path('v', { subPathExpr: '$(NO)' }), /missing value for "NO"/)
    assert.throws(() => path('v', { subPath: '../out' }), /must not contain '\.\.'/)
    symlinkSync('/etc', join(path('v'), 'link'))
    assert.throws(() => path('v', { subPath: 'link' }), /failed to prepare subPath/)
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
    [{ name: 'v', hostPath: { path: '/etc/hostname', type: 'Socket' } }, /is not a socket/],
    [{ name: 'v', nfs: { server: 's', path: '/' } }, /volume type nfs is not supported by this node/],
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
    assert.deepEqual(
      readdirSync(path('v')).filter(name => !name.startsWith('..')),
      [],
    )
  })
})
