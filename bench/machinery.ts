/**
 * What the API machinery costs per object, beside JSON.parse of the same object: ns per operation.
 * `node bench/machinery.ts`
 */
import { applyPatch } from '../src/api/machinery/apply/apply.ts'
import { trackUpdate } from '../src/api/machinery/apply/managed-fields.ts'
import { encodeForStore, stampRevision } from '../src/api/machinery/encoded.ts'
import { parseJson } from '../src/api/machinery/json-strict.ts'
import { parseLabelSelector } from '../src/api/machinery/label-selector.ts'
import { mergePatch } from '../src/api/machinery/merge-patch.ts'
import { validateObjectMeta } from '../src/api/machinery/names.ts'
import type { KubeObject } from '../src/api/machinery/object.ts'
import { milliValue } from '../src/api/machinery/quantity.ts'
import { strategicMergePatch } from '../src/api/machinery/strategic-merge-patch.ts'
import { checkStructure } from '../src/api/machinery/structural.ts'
import { median } from './lib/measure.ts'

const NOW = 1_767_323_045_000
const ROUNDS = 7

const meta = (name: string) => ({
  name,
  namespace: 'default',
  labels: { app: 'web', 'app.kubernetes.io/part-of': 'shop' },
  annotations: { note: 'made for a measurement' },
})

const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: meta('c'),
  data: { 'a.json': 'x'.repeat(800), b: '1' },
}

const podSpec = {
  containers: [
    {
      name: 'web',
      image: 'nginx:1.27',
      ports: [{ containerPort: 80, protocol: 'TCP' }],
      env: [
        { name: 'A', value: '1' },
        { name: 'B', valueFrom: { configMapKeyRef: { name: 'c', key: 'b' } } },
      ],
      resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
      readinessProbe: { httpGet: { path: '/ready', port: 80, scheme: 'HTTP' }, periodSeconds: 5 },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    },
  ],
  volumes: [{ name: 'data', emptyDir: {} }],
  restartPolicy: 'Always',
  serviceAccountName: 'default',
}
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: meta('p'), spec: podSpec }
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('d'),
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: podSpec },
  },
}

const CONFIG_MAP = 'io.k8s.api.core.v1.ConfigMap'
const POD = 'io.k8s.api.core.v1.Pod'
const DEPLOYMENT = 'io.k8s.api.apps.v1.Deployment'

/** ns per call: the median of some rounds, each of about 50 ms. */
function nanoseconds(work: () => unknown): number {
  const run = (n: number) => {
    const began = performance.now()
    for (let i = 0; i < n; i++) sink = work()
    return performance.now() - began
  }
  let n = 100
  while (run(n) < 20) n *= 2
  const rounds = Array.from({ length: ROUNDS }, () => (run(n) / n) * 1e6)
  return median(rounds)
}

let sink: unknown

const track = (live: KubeObject | undefined, next: KubeObject, schema: string) =>
  trackUpdate({ live, next, schema, apiVersion: next.apiVersion!, manager: 'bench', now: NOW })

const applied = { schema: DEPLOYMENT, apiVersion: 'apps/v1', manager: 'bench', force: false, now: NOW }
const live = applyPatch({ ...applied, live: undefined, applied: deployment }).object!
const tracked = {
  ...deployment,
  metadata: { ...deployment.metadata, managedFields: track(undefined, deployment, DEPLOYMENT) },
}
const scaled = { ...tracked, spec: { ...tracked.spec, replicas: 4 } }
const selector = parseLabelSelector('app=web,tier notin (db,cache)')
const text = (object: object) => JSON.stringify(object)
const bodies = { configMap: text(configMap), pod: text(pod), deployment: text(deployment) }
const stored = encodeForStore(pod)

const operations: Readonly<Record<string, () => unknown>> = {
  'JSON.parse, pod (baseline)': () => JSON.parse(bodies.pod),
  'parseJson, pod': () => parseJson(bodies.pod),
  'parseJson with duplicates, pod': () => parseJson(bodies.pod, true),
  'parseJson with duplicates, 1 KB ConfigMap': () => parseJson(bodies.configMap, true),
  'checkStructure, 1 KB ConfigMap': () => checkStructure(configMap, CONFIG_MAP),
  'checkStructure, pod': () => checkStructure(pod, POD),
  'checkStructure, deployment': () => checkStructure(deployment, DEPLOYMENT),
  validateObjectMeta: () => validateObjectMeta(pod.metadata, { namespaced: true }),
  'trackUpdate, create 1 KB ConfigMap': () => track(undefined, configMap, CONFIG_MAP),
  'trackUpdate, create pod': () => track(undefined, pod, POD),
  'trackUpdate, scale deployment': () => track(tracked, scaled, DEPLOYMENT),
  'trackUpdate, nothing changed': () => track(tracked, tracked, DEPLOYMENT),
  'applyPatch, deployment unchanged': () => applyPatch({ ...applied, live, applied: deployment }),
  'strategicMergePatch, image': () =>
    strategicMergePatch(
      deployment,
      { spec: { template: { spec: { containers: [{ name: 'web', image: 'x' }] } } } },
      DEPLOYMENT,
    ),
  'mergePatch, replicas': () => mergePatch(deployment, { spec: { replicas: 5 } }),
  'encodeForStore, pod': () => encodeForStore(pod),
  'stampRevision, pod': () => stampRevision(stored, 123_456),
  'selector.matches': () => selector.matches(pod.metadata.labels),
  milliValue: () => milliValue('250m'),
}

console.log('| operation | ns |\n|---|--:|')
for (const [name, work] of Object.entries(operations)) console.log(`| ${name} | ${Math.round(nanoseconds(work))} |`)
if (sink === undefined) process.exitCode = 1
