/**
 * Who may do what: SubjectAccessReviews of users with a few bindings among many, and TokenReviews. `node
 * bench/authorization.ts [--n 3000] [--bindings 500]`. Beside a real kube-apiserver where KUBERNETES_BIN names a folder
 * with the binaries.
 */
import { parseArgs } from 'node:util'
import type { BenchCluster } from './lib/cluster.ts'
import { driveEach } from './lib/drive-each.ts'
import { measure, type Rate, sleep, table } from './lib/measure.ts'

const { values } = parseArgs({
  options: { n: { type: 'string', default: '3000' }, bindings: { type: 'string', default: '500' } },
})
const N = Number(values.n)
const BINDINGS = Number(values.bindings)
const WIDTH = 64
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
const NAMESPACE = `who-${process.pid}`

const review = (i: number) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: {
    user: `user-${i % BINDINGS}`,
    groups: ['dev', 'system:authenticated'],
    resourceAttributes: { namespace: NAMESPACE, verb: 'list', resource: 'pods', name: `p-${i}` },
  },
})

interface Figures {
  one: Rate
  many: Rate
  token: Rate
}

async function prepare(cluster: BenchCluster): Promise<string> {
  const metadata = { name: NAMESPACE }
  await cluster.call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
  const binding = (i: number) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: `b-${i}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:aggregate-to-view' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: `user-${i}` }],
  })
  await measure(BINDINGS, 16, i => cluster.call('POST', `${RBAC}/namespaces/${NAMESPACE}/rolebindings`, binding(i)))
  const accounts = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts`
  await cluster.call('POST', accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web' } })
  const answer = await cluster.call(
    'POST',
    `${accounts}/web/token`,
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    },
    { keep: true },
  )
  // What the server has written it may take a moment to see.
  await sleep(1000)
  return JSON.parse(answer.text()).status.token
}

async function drive(cluster: BenchCluster): Promise<Figures> {
  const token = await prepare(cluster)
  const { status } = JSON.parse((await cluster.call('POST', REVIEWS, review(1), { keep: true })).text())
  if (!status.allowed) throw new Error(`${cluster.name} does not allow what it should: ${JSON.stringify(status)}`)
  await measure(3000, 16, i => cluster.call('POST', REVIEWS, review(i)))
  const one = await measure(1000, 1, i => cluster.call('POST', REVIEWS, review(i)))
  const many = await measure(N, WIDTH, i => cluster.call('POST', REVIEWS, review(i)))
  const tokenReview = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const askToken = () => cluster.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', tokenReview)
  await measure(500, 16, askToken)
  const checked = await measure(1000, 1, askToken)
  await cluster.call('DELETE', `/api/v1/namespaces/${NAMESPACE}`)
  return { one, many, token: checked }
}

const pick = await driveEach(drive)
console.log(
  table([
    pick('SubjectAccessReview, one at a time, p50', 'ms', f => f.one.p50, true),
    pick('SubjectAccessReview, one at a time, p99', 'ms', f => f.one.p99, true),
    pick(`SubjectAccessReview, ${WIDTH} in flight`, '/s', f => f.many.perSecond),
    pick('TokenReview, one at a time, p50', 'ms', f => f.token.p50, true),
  ]),
)
process.exit(0)
