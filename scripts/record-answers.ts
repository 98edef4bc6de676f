/**
 * Puts the cases of src/api/kinds/testdata/cases.ts to a Kubernetes API server and records what it says, for the tests
 * of defaults and rules: `node scripts/record-answers.ts SERVER TOKEN`. The server should run without controllers; a
 * service account `default` without token is made in the default namespace.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findKindOf } from '../src/api/kinds/all.ts'
import type { Case } from '../src/api/kinds/testdata/cases.ts'
import { cases } from '../src/api/kinds/testdata/cases.ts'

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind
type Json = Record<string, any>

const [server, token] = process.argv.slice(2)
if (!server || !token) {
  console.error('usage: node scripts/record-answers.ts SERVER TOKEN')
  process.exit(2)
}
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'

async function ask(method: string, path: string, body?: Json): Promise<Json> {
  const response = await fetch(server + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return (await response.json()) as Json
}

function pathOf(object: Json): string {
  const kind = findKindOf(object.apiVersion, object.kind)!
  const group = kind.group ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`
  return `${group}${kind.namespaced ? `/namespaces/${object.metadata.namespace}` : ''}/${kind.plural}`
}

/** The tolerations that every pod gets. */
const fromAdmission = ({ key }: Json) => /^node\.kubernetes\.io\/(not-ready|unreachable)$/.test(key)

/** What admission plugins and allocators add, and what differs from run to run. */
function forget(object: Json): Json {
  const { uid, creationTimestamp, resourceVersion, managedFields, ...metadata } = object.metadata
  const kept: Json = { ...object, metadata }
  const { spec } = kept
  if (object.kind === 'Pod') {
    for (const field of ['priority', 'preemptionPolicy', 'serviceAccount', 'serviceAccountName']) delete spec[field]
    spec.tolerations = spec.tolerations?.filter((one: Json) => !fromAdmission(one))
  }
  if (object.kind === 'Service') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field]
    for (const port of spec.ports ?? []) delete port.nodePort
  }
  if (object.kind === 'Node') delete kept.spec
  if (object.kind === 'PersistentVolumeClaim') delete metadata.finalizers
  if (object.kind === 'PersistentVolume') delete metadata.finalizers
  return JSON.parse(JSON.stringify(kept).replaceAll(uid, 'UID'))
}

const said = (answer: Json) =>
  answer.kind === 'Status'
    ? { causes: answer.details?.causes ?? [{ message: answer.message }] }
    : { object: forget(answer) }

async function answerOf({ object, update }: Case): Promise<Json> {
  const path = pathOf(object)
  if (!update) return said(await ask('POST', `${path}?dryRun=All&fieldValidation=Strict`, object))
  const made = await ask('POST', path, object)
  const { name } = object.metadata
  const next: Json = { ...update, metadata: { ...update.metadata, resourceVersion: made.metadata?.resourceVersion } }
  // Admission added to a pod what an update may not take away.
  if (object.kind === 'Pod') next.spec = { ...made.spec, ...difference(object.spec, update.spec, made.spec) }
  const answer = await ask('PUT', `${path}/${name}?dryRun=All&fieldValidation=Strict`, next)
  await ask('DELETE', `${path}/${name}?gracePeriodSeconds=0&propagationPolicy=Background`)
  return made.kind === 'Status' ? said(made) : said(answer)
}

/** The fields of a pod's spec that the update changes, on top of what admission made of it. */
function difference(before: Json, after: Json, made: Json): Json {
  const changed: Json = {}
  for (const [key, value] of Object.entries(after)) {
    if (JSON.stringify(before[key]) === JSON.stringify(value)) continue
    if (key === 'containers') {
      changed[key] = value.map((one: Json, index: number) => ({ ...made.containers[index], ...one }))
    } else if (key === 'tolerations') changed[key] = [...made.tolerations.filter(fromAdmission), ...value]
    else changed[key] = value
  }
  return changed
}

await ask('POST', '/api/v1/namespaces/default/serviceaccounts', {
  metadata: { name: 'default' },
  automountServiceAccountToken: false,
})
const answers: Record<string, Json> = {}
for (const one of cases) answers[one.name] = await answerOf(one)
const file = join(import.meta.dirname, '../src/api/kinds/testdata/answers.json')
writeFileSync(file, `${JSON.stringify(answers, null, 1)}\n`)
console.log(`${cases.length} answers`)
