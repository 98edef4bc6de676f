/** Volumes as people use them: a StatefulSet's data through the deaths of pods and of Tutti, and what is left of it. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { until } from './load.ts'

/** The path of its volume: where it is mounted, or its variable where nothing can be. */
const AT = '$' + '{TUTTI_VOLUME_DATA:-/tutti-e2e-data}'
const process = { name: 'main', image: 'host' }
const set = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db' },
  spec: {
    serviceName: 'db',
    replicas: 1,
    selector: { matchLabels: { app: 'db' } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: {
        runtimeClassName: 'process',
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            ...process,
            command: ['sh', '-c', `date >> "${AT}/starts"; exec sleep 1000`],
            volumeMounts: [{ name: 'data', mountPath: '/tutti-e2e-data' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOncePod'], resources: { requests: { storage: '100Mi' } } },
      },
    ],
  },
}

test('data outlives pods and Tutti, and goes when it is said to', { skip: toolsMissing ?? false }, async t => {
  const cluster = await startE2eCluster()
  t.after(() => cluster.delete())
  const host = mkdtempSync(join(tmpdir(), 'tutti-e2e-host-'))
  t.after(() => rmSync(host, { recursive: true, force: true }))
  const { kubectl, dataDir } = cluster
  const folder = () => readdirSync(join(dataDir, 'volumes')).find(name => name.endsWith('_default_data-db-0'))
  const starts = () =>
    readFileSync(join(dataDir, 'volumes', folder() ?? '', 'starts'), 'utf8')
      .trim()
      .split('\n').length
  const ready = () => kubectl(['rollout', 'status', 'statefulset/db', '--timeout=120s'])

  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(set) })
  await ready()
  await until('the first start is written', async () => starts() === 1)
  assert.match(await kubectl(['get', 'storageclass']), /local-path \(default\)\s+tutti.dev\/local-path/)
  await kubectl(['delete', 'pod', 'db-0'])
  await ready()
  await until('the second start is written', async () => starts() === 2)

  assert.equal((await cluster.tutti(['down'])).code, 0)
  assert.equal(starts(), 2)
  await cluster.up()
  await ready()
  await until('the third start is written', async () => starts() === 3)

  const more = JSON.stringify({ spec: { resources: { requests: { storage: '200Mi' } } } })
  await kubectl(['patch', 'pvc', 'data-db-0', '-p', more])
  await kubectl(['wait', 'pvc/data-db-0', '--for=jsonpath={.status.capacity.storage}=200Mi', '--timeout=120s'])

  // A folder of the machine, of which a pod sees a part.
  mkdirSync(join(host, 'part'))
  writeFileSync(join(host, 'part/precious'), 'kept')
  const guest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'guest' },
    spec: {
      runtimeClassName: 'process',
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          ...process,
          command: ['sleep', '1000'],
          volumeMounts: [{ name: 'host', mountPath: '/tutti-e2e-host', subPath: 'part' }],
        },
      ],
      volumes: [{ name: 'host', hostPath: { path: host, type: 'Directory' } }],
    },
  }
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(guest) })
  await kubectl(['wait', 'pod/guest', '--for=condition=Ready', '--timeout=120s'])

  await kubectl(['delete', 'statefulset', 'db'])
  await until('the claim of a set that is gone is deleted, with its folder', async () => folder() === undefined)
  await until('its volume goes, too', async () => (await kubectl(['get', 'pv', '-o', 'name'])).trim() === '')

  assert.equal((await cluster.tutti(['delete', '--yes'])).code, 0)
  assert.ok(!existsSync(dataDir))
  assert.equal(readFileSync(join(host, 'part/precious'), 'utf8'), 'kept')
})
