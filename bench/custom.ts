/**
 * Custom resources: what many definitions cost at start and at rest, and lists of custom resources beside lists of
 * ConfigMaps of the same size. `node bench/custom.ts [--definitions 200] [--kb 5] [--objects 10000] [--seconds 20]`
 */
import { parseArgs } from 'node:util'
import { type BenchCluster, connectBench } from './lib/cluster.ts'
import { measure, median, type Row, sleep, table } from './lib/measure.ts'
import { cpuSeconds, memoryBytes } from './lib/processes.ts'
import { startTutti, tutti, tuttiUp } from './lib/targets.ts'

const { values } = parseArgs({
  options: {
    definitions: { type: 'string', default: '200' },
    kb: { type: 'string', default: '5' },
    objects: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '20' },
  },
})
const [DEFINITIONS, KB, OBJECTS, SECONDS] = [values.definitions, values.kb, values.objects, values.seconds].map(
  Number,
) as [number, number, number, number]

/** A schema of about `bytes`, in the manner of operators: groups of described fields, lists with keys, a rule. */
function schemaOf(bytes: number): object {
  const description = 'What the operator does with this, and what it takes when nothing is said. More in the manual.'
  const leaf = (i: number) =>
    [
      { type: 'string', maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', description },
      { type: 'integer', format: 'int32', minimum: 0, maximum: 65_535, description },
      { type: 'string', enum: ['Always', 'Never', 'IfNotPresent'], default: 'Always', description },
      { 'x-kubernetes-int-or-string': true, description },
    ][i % 4]
  const group = (at: number) => ({
    type: 'object',
    description,
    properties: {
      ...Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`field${i}`, leaf(at + i)])),
      entries: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', required: ['name'], properties: { name: leaf(0), port: leaf(1) } },
      },
    },
  })
  const properties: Record<string, object> = { value: { type: 'string' } }
  for (let i = 0; JSON.stringify(properties).length < bytes; i++) properties[`group${i}`] = group(i)
  const rule = { rule: "!has(self.value) || self.value != 'never'", message: 'never is no value' }
  return { type: 'object', properties: { spec: { type: 'object', properties, 'x-kubernetes-validations': [rule] } } }
}

const definition = (name: string, openAPIV3Schema: object) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${name.toLowerCase()}s.bench.example.com` },
  spec: {
    group: 'bench.example.com',
    scope: 'Namespaced',
    names: { plural: `${name.toLowerCase()}s`, kind: name },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
  },
})

interface Rest {
  readonly start: number
  readonly cpu: number
  readonly resident: number
}

const target = await startTutti()
let pids = target.pids

async function restart(): Promise<number> {
  await tutti(['down', '--data-dir', target.dataDir])
  const { pid, startMs } = await tuttiUp(target)
  pids = [pid]
  return startMs
}

async function rest(): Promise<Rest> {
  const starts: number[] = []
  for (let i = 0; i < 3; i++) starts.push(await restart())
  await sleep(5000)
  const before = cpuSeconds(pids)
  await sleep(SECONDS * 1000)
  const cpu = ((cpuSeconds(pids) - before) / SECONDS) * 100
  return { start: median(starts), cpu, resident: memoryBytes(pids).rss / 1e6 }
}

/** Writes objects of a kind, and measures their lists. */
async function lists(cluster: BenchCluster, path: string, make: (name: string) => object) {
  const create = await measure(OBJECTS, 64, i => cluster.call('POST', path, make(`o-${i}`)))
  await measure(4, 2, () => cluster.call('GET', path))
  let bytes = 0
  const list = await measure(20, 2, async () => {
    bytes = (await cluster.call('GET', path)).bytes
  })
  return { create, list, bytes }
}

const value = 'x'.repeat(300)
const empty = await rest()
let cluster = connectBench('Tutti', target.kubeconfig)
const schema = schemaOf(KB * 1000)
const define = await measure(DEFINITIONS, 16, i =>
  cluster.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(`Kind${i}`, schema)),
)
for (;;) {
  const { resources } = JSON.parse(
    (await cluster.call('GET', '/apis/bench.example.com/v1', undefined, { keep: true })).text(),
  )
  if (resources.length === DEFINITIONS) break
  await sleep(20)
}
cluster.close()
const defined = await rest()
cluster = connectBench('Tutti', target.kubeconfig)
const maps = await lists(cluster, '/api/v1/namespaces/default/configmaps', name => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { value },
}))
const custom = await lists(cluster, '/apis/bench.example.com/v1/namespaces/default/kind0s', name => ({
  apiVersion: 'bench.example.com/v1',
  kind: 'Kind0',
  metadata: { name },
  spec: { value },
}))
cluster.close()
await target.stop()

const row = (what: string, unit: string, figures: Row['figures'], lessIsBetter = true): Row => ({
  what,
  unit,
  figures,
  lessIsBetter,
})
const many = `${DEFINITIONS} definitions, ${((DEFINITIONS * JSON.stringify(schema).length) / 1e6).toFixed(1)} MB`
console.log(
  table([
    row('later start, median', 'ms', { [many]: defined.start, none: empty.start }),
    row('memory at rest, resident', 'MB', { [many]: defined.resident, none: empty.resident }),
    row('CPU at rest', '% of a core', { [many]: defined.cpu, none: empty.cpu }),
  ]),
)
console.log(`\nDefinitions made: ${define.perSecond.toFixed(0)} /s\n`)
console.log(
  table([
    row('create, 64 in flight', '/s', { custom: custom.create.perSecond, ConfigMap: maps.create.perSecond }, false),
    row(
      `LIST of ${OBJECTS}, 2 in flight`,
      '/s',
      { custom: custom.list.perSecond, ConfigMap: maps.list.perSecond },
      false,
    ),
    row('LIST, size', 'MB', { custom: custom.bytes / 1e6, ConfigMap: maps.bytes / 1e6 }),
  ]),
)
process.exit(0)
