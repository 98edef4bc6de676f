/** Admission as kubectl shows it: a webhook that runs in the cluster, and a policy in CEL, refuse bad pods. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createAuthority, issueCertificate } from '../../src/lib/pki/certificate.ts'
import { toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { until } from './load.ts'

const HOUR = 3_600_000
const PORT = 8443

const pod = (name: string, labels: object, container: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: {
    runtimeClassName: 'process',
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image: 'host', command: ['sleep', '3600'], ...container }],
  },
})

/** The webhook's pod and service, and what makes the server ask it. */
async function webhookObjects() {
  const now = Date.now()
  const authority = await createAuthority({ commonName: 'hooks', now, lifetime: HOUR })
  const { certificate, key } = await issueCertificate(authority, {
    usage: 'server',
    commonName: 'hook',
    hosts: ['hook.hooks.svc'],
    now,
    lifetime: HOUR,
  })
  const script = readFileSync(new URL('fixtures/webhook.mjs', import.meta.url), 'utf8')
  const environment = { TLS_CERT: certificate, TLS_KEY: key, PORT: String(PORT) }
  const server = pod(
    'hook',
    { app: 'hook' },
    {
      command: [process.execPath, '--input-type=module', '-e', script],
      env: Object.entries(environment).map(([name, value]) => ({ name, value })),
      readinessProbe: { httpGet: { port: PORT, scheme: 'HTTPS' }, periodSeconds: 1, timeoutSeconds: 10 },
    },
  )
  const configuration = (kind: string, path: string) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name: 'owners' },
    webhooks: [
      {
        name: 'owners.example.com',
        clientConfig: {
          service: { namespace: 'hooks', name: 'hook', path },
          caBundle: Buffer.from(authority.certificate).toString('base64'),
        },
        rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 5,
      },
    ],
  })
  return {
    server: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'hooks' } },
      { ...server, metadata: { ...server.metadata, namespace: 'hooks' } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'hook', namespace: 'hooks' },
        spec: { selector: { app: 'hook' }, ports: [{ port: 443, targetPort: PORT }] },
      },
    ],
    configurations: [
      configuration('MutatingWebhookConfiguration', '/mutate'),
      configuration('ValidatingWebhookConfiguration', '/validate'),
    ],
  }
}

const policy = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'few-replicas' },
    spec: {
      matchConstraints: {
        resourceRules: [
          { operations: ['CREATE', 'UPDATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] },
        ],
      },
      validations: [
        {
          expression: 'object.spec.replicas <= 5',
          messageExpression: "'at most 5 replicas, not ' + string(object.spec.replicas)",
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'few-replicas' },
    spec: { policyName: 'few-replicas', validationActions: ['Deny'] },
  },
]

test('admission, seen from kubectl', { skip: toolsMissing ?? false }, async t => {
  const cluster = await startE2eCluster()
  t.after(() => cluster.delete())
  const apply = (...objects: object[]) =>
    cluster.tryKubectl(['create', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    })
  const { server, configurations } = await webhookObjects()

  await t.test('a webhook that runs in the cluster refuses a bad pod and changes a good one', async () => {
    const made = await apply(...server)
    assert.equal(made.code, 0, made.stderr)
    await cluster.kubectl(['wait', '-n', 'hooks', '--for=condition=Ready', 'pod/hook', '--timeout=120s'])
    assert.equal((await apply(...configurations)).code, 0)
    const bad = await apply(pod('bad', {}))
    assert.equal(bad.code, 1)
    assert.match(
      bad.stderr,
      /^Error from server.*: error when creating "STDIN": admission webhook "owners.example.com" denied the request: every pod needs the label "owner"\n$/,
    )
    const good = await apply(pod('good', { owner: 'me' }))
    assert.equal(good.code, 0, good.stderr)
    const seen = await cluster.kubectl([
      'get',
      'pod',
      'good',
      '-o',
      'jsonpath={.metadata.annotations.example\\.com/seen}',
    ])
    assert.equal(seen, 'yes')
  })

  await t.test('a webhook that is gone fails what it should have judged, and says why', async () => {
    await cluster.kubectl(['delete', 'service', 'hook', '-n', 'hooks'])
    const { code, stderr } = await apply(pod('late', { owner: 'me' }))
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^Error from server \(InternalError\): error when creating "STDIN": Internal error occurred: failed calling webhook "owners.example.com": failed to call webhook: Post "https:\/\/hook.hooks.svc:443\/mutate\?timeout=5s": service "hook" not found\n$/,
    )
    await cluster.kubectl(['delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', 'owners'])
  })

  await t.test('a policy in CEL refuses with the message that it makes', async () => {
    assert.equal((await apply(...policy)).code, 0)
    const create = (replicas: number) =>
      cluster.tryKubectl(['create', 'deployment', `d${replicas}`, '--image=host', `--replicas=${replicas}`])
    await until('the policy refuses', async () => (await create(9)).code === 1)
    const { stderr } = await create(9)
    assert.match(stderr, /denied request: at most 5 replicas, not 9\n$/)
    assert.equal((await create(2)).code, 0)
  })

  await t.test('a quota and a level of pod security refuse in words that can be read', async () => {
    await cluster.kubectl(['create', 'namespace', 'small'])
    await cluster.kubectl(['create', 'quota', 'q', '-n', 'small', '--hard=configmaps=2'])
    const counted = ['get', 'quota', 'q', '-n', 'small', '-o', 'jsonpath={.status.used.configmaps}']
    await until('the quota is counted', async () => (await cluster.kubectl(counted)) !== '')
    const maps = await Promise.all(
      ['a', 'b', 'c'].map(name => cluster.tryKubectl(['create', 'configmap', name, '-n', 'small'])),
    )
    assert.ok(
      maps.some(({ stderr }) =>
        /is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2/.test(
          stderr,
        ),
      ),
    )
    await cluster.kubectl(['label', 'namespace', 'small', 'pod-security.kubernetes.io/enforce=baseline'])
    const host = await cluster.tryKubectl(['run', 'p', '-n', 'small', '--image=host', '--privileged'])
    assert.match(
      host.stderr,
      /violates PodSecurity "baseline:latest": privileged \(container "p" must not set securityContext.privileged=true\)/,
    )
  })
})
