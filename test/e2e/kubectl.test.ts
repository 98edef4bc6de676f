/** The unmodified kubectl 1.36 in its everyday commands, against a whole Tutti. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { until } from './load.ts'

const pod = (name: string, container: object, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: {
    runtimeClassName: 'process',
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'host', ...container }],
    ...spec,
  },
})
const deployment = (name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: pod(name, { command: ['sleep', '3600'] }).spec },
  },
})

/** The status of a GET without credentials. */
const statusOf = (url: string, ca: Buffer) =>
  new Promise<number | undefined>((resolve, reject) =>
    https
      .get(url, { ca, agent: false }, response => {
        response.resume()
        resolve(response.statusCode)
      })
      .on('error', reject),
  )

test('kubectl', { skip: toolsMissing ?? false }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-kubectl-'))
  const cluster = await startE2eCluster()
  t.after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cluster.delete()
  })
  const kubectl = (line: string, input?: unknown) =>
    cluster.kubectl(line.split(' '), input === undefined ? {} : { input: JSON.stringify(input) })
  const fails = async (line: string) => {
    const result = await cluster.tryKubectl(line.split(' '))
    assert.notEqual(result.code, 0, `kubectl ${line} succeeded: ${result.stdout}`)
    return result.stderr
  }
  await kubectl('apply -f -', deployment('web', 2))
  await kubectl('rollout status deployment/web --timeout=120s')

  const reads: [string, RegExp][] = [
    ['cluster-info', /Kubernetes control plane.* is running at.*https:\/\/127\.0\.0\.1/],
    ['version', /Server Version: v1\.36/],
    [
      'explain deployment.spec --recursive',
      /minReadySeconds\s+<integer>[\s\S]*template\s+<PodTemplateSpec> -required-/,
    ],
    ['explain pods.spec.containers.resources', /limits\s+<map\[string\]Quantity>/],
    ['get nodes -o wide', /Ready .*v1\.36/],
    [
      'get deployments -o wide',
      /NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\s+CONTAINERS\s+IMAGES\s+SELECTOR\nweb\s+2\/2\s+2\s+2/,
    ],
    ['get pods -o yaml', /kind: List/],
    ['get deployment web -o jsonpath={.status.readyReplicas}', /^2$/],
    ['get deployments -o custom-columns=NAME:.metadata.name,REPLICAS:.spec.replicas', /NAME\s+REPLICAS\nweb\s+2/],
    ['get all', /pod\/web-[\s\S]*service\/kubernetes[\s\S]*deployment.apps\/web[\s\S]*replicaset.apps\/web-/],
    ['get events', /Scheduled|Started|ScalingReplicaSet/],
    ['auth can-i create pods', /^yes/],
    ['auth can-i --list', /\*\.\*\s+\[\]\s+\[\]\s+\[\*\]/],
    ['auth whoami', /kubernetes-admin|system:masters/],
    ['rollout history deployment/web', /REVISION\s+CHANGE-CAUSE\n1/],
    ['create token default', /^eyJ[\w-]+\.[\w-]+\.[\w-]+\n?$/],
    ['wait --for=condition=Available deployment/web --timeout=120s', /condition met/],
    ['wait --for=jsonpath={.status.readyReplicas}=2 deployment/web --timeout=120s', /condition met/],
    ['top nodes', /^NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\) *\n\S+ +\d+m +\d+% +\d+Mi +\d+%/],
    ['top pods --containers --sort-by=cpu', /^POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\nweb-\S+ +\S+ +\d+m +\d+Mi/],
    ['get --raw /readyz', /^ok$/],
    ['get --raw /metrics', /apiserver_request_total\{/],
  ]
  for (const [line, expected] of reads) await t.test(line, async () => assert.match(await kubectl(line), expected))

  const described = [
    'nodes',
    'namespaces',
    'deployments',
    'replicasets',
    'pods',
    'services',
    'endpointslices',
    'serviceaccounts',
    'configmaps',
    'leases -n kube-node-lease',
    'priorityclasses',
    'runtimeclasses',
    'clusterroles',
    'clusterrolebindings',
    'roles -n kube-system',
    'rolebindings -n kube-system',
  ]
  for (const kind of described)
    await t.test(`describe ${kind}`, async () => assert.match(await kubectl(`describe ${kind}`), /Name:/))

  await t.test('api-resources prints the same lines as a real 1.36 server', async () => {
    const recorded = join(import.meta.dirname, '../fixtures/kube-apiserver/api-resources.txt')
    // There another server adds those of metrics.k8s.io.
    const lines = (await kubectl('api-resources')).split('\n').filter(line => !line.includes(' metrics.k8s.io/'))
    assert.equal(lines.join('\n'), readFileSync(recorded, 'utf8'))
  })

  await t.test('apply, changed and unchanged, client-side and server-side, with diff', async () => {
    const map = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data })
    assert.match(await kubectl('apply -f -', map({ a: '1', b: '2' })), /settings created/)
    assert.match(await kubectl('apply -f -', map({ a: '1', b: '2' })), /settings unchanged/)
    const diff = await cluster.tryKubectl(['diff', '-f', '-'], { input: JSON.stringify(map({ a: '2' })) })
    assert.equal(diff.code, 1)
    assert.match(diff.stdout, /^-\s+a: "1"$/m)
    assert.match(await kubectl('apply -f -', map({ a: '2' })), /settings configured/)
    assert.equal(await kubectl('get configmap settings -o jsonpath={.data}'), '{"a":"2"}')
    assert.match(await kubectl('apply --server-side --force-conflicts -f -', map({ a: '3' })), /serverside-applied/)
    const conflict = await cluster.tryKubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], {
      input: JSON.stringify(map({ a: '4' })),
    })
    assert.match(conflict.stderr, /conflict with "kubectl": \.data\.a/)
  })

  await t.test('deprecated kinds are answered with a warning', async () => {
    const { stderr } = await cluster.tryKubectl(['get', 'endpoints'])
    assert.match(stderr, /^Warning: v1 Endpoints is deprecated in v1.33\+; use discovery.k8s.io\/v1 EndpointSlice$/m)
  })

  await t.test('a typo is refused by name', async () => {
    const result = await cluster.tryKubectl(['apply', '-f', '-'], {
      input: JSON.stringify({ ...deployment('typo', 1), spec: { ...deployment('typo', 1).spec, replcas: 3 } }),
    })
    assert.match(result.stderr, /unknown field "spec.replcas"/)
  })

  await t.test('label, annotate, patch (three types), set image, set env, scale, edit', async () => {
    await kubectl('label deployment web tier=front')
    await kubectl('annotate deployment web note=hello')
    await kubectl(
      'patch deployment web --type=strategic -p {"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"1"}]}]}}}}',
    )
    await kubectl('patch deployment web --type=merge -p {"metadata":{"annotations":{"note":"bye"}}}')
    await kubectl('patch deployment web --type=json -p [{"op":"replace","path":"/spec/replicas","value":3}]')
    await kubectl('set env deployment/web B=2')
    await kubectl('set image deployment/web main=host')
    await kubectl('scale deployment/web --replicas=1')
    const editor = join(folder, 'editor.sh')
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/note: bye/note: edited/" "$1"\n', { mode: 0o755 })
    await cluster.kubectl(['edit', 'deployment', 'web'], { env: { KUBE_EDITOR: editor } })
    const object = JSON.parse(await kubectl('get deployment web -o json'))
    assert.equal(object.metadata.labels.tier, 'front')
    assert.equal(object.metadata.annotations.note, 'edited')
    assert.equal(object.spec.replicas, 1)
    assert.deepEqual(object.spec.template.spec.containers[0].env, [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ])
    await kubectl('rollout status deployment/web --timeout=120s')
  })

  await t.test('rollout pause, resume, restart', async () => {
    await kubectl('rollout pause deployment/web')
    assert.match(await fails('rollout restart deployment/web'), /paused/)
    await kubectl('rollout resume deployment/web')
    await kubectl('rollout restart deployment/web')
    await kubectl('rollout status deployment/web --timeout=120s')
  })

  await t.test('logs, logs -f, exec, cp and port-forward', async () => {
    const script = 'echo one; echo two >&2; while true; do echo tick; sleep 0.2; done'
    await kubectl('apply -f -', pod('talker', { command: ['sh', '-c', script] }))
    await kubectl('wait --for=condition=Ready pod/talker --timeout=120s')
    assert.match(await kubectl('logs talker --tail=-1'), /^one\ntwo\n/)
    assert.equal((await kubectl('logs talker --tail=1')).trim(), 'tick')
    assert.match(await kubectl('logs talker --timestamps --tail=1'), /^\d{4}-\d\d-\d\dT[\d:.]+Z tick/)
    const following = cluster.spawnKubectl(['logs', '-f', 'talker'])
    let seen = ''
    following.stdout?.on('data', chunk => {
      seen += chunk
    })
    await until('three ticks are followed', async () => seen.split('tick').length > 3)
    following.kill()
    assert.equal(await cluster.kubectl(['exec', 'talker', '--', 'sh', '-c', 'echo $0 $(( 6 * 7 ))']), 'sh 42\n')
    assert.equal(
      await cluster.kubectl(['exec', '-i', 'talker', '--', 'cat'], { input: 'through stdin' }),
      'through stdin',
    )
    const failed = await cluster.tryKubectl(['exec', 'talker', '--', 'sh', '-c', 'exit 7'])
    assert.match(failed.stderr, /exit code 7/)
    const from = join(folder, 'from')
    writeFileSync(from, 'copied\n')
    const remote = join(folder, 'remote')
    await cluster.kubectl(['cp', from, `talker:${remote}`])
    await cluster.kubectl(['cp', `talker:${remote}`, join(folder, 'back')])
    assert.equal(readFileSync(join(folder, 'back'), 'utf8'), 'copied\n')
    await kubectl('delete pod talker')
  })

  await t.test('run --rm -i runs a command and cleans up', async () => {
    const overrides = JSON.stringify({ spec: { runtimeClassName: 'process' } })
    const output = await cluster.kubectl([
      'run',
      'once',
      '--rm',
      '-i',
      '--restart=Never',
      '--image=host',
      `--overrides=${overrides}`,
      '--command',
      '--',
      'sh',
      '-c',
      'sleep 1; echo from the pod',
    ])
    assert.match(output, /from the pod/)
    assert.equal(await kubectl('get pods -l run=once -o name'), '')
  })

  await t.test('a Job runs to its end', async () => {
    const { spec } = pod('x', { command: ['sh', '-c', 'echo done'] }, { restartPolicy: 'Never' })
    await kubectl('apply -f -', {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once' },
      spec: { completions: 3, parallelism: 2, template: { spec } },
    })
    await kubectl('wait --for=condition=Complete job/once --timeout=120s')
    assert.match(await kubectl('get job once'), /Complete\s+3\/3/)
    await kubectl('delete job once')
  })

  await t.test('a pod whose image cannot be had says why', async () => {
    await kubectl('run none --image=127.0.0.1:1/none:1')
    const described = await until('the pull failed', async () => {
      const text = await kubectl('describe pod none')
      return /ErrImagePull|ImagePullBackOff/.test(text) && text
    })
    // Where nothing can be isolated, no image is run at all.
    assert.match(described, /failed to pull and unpack image "127.0.0.1:1\/none:1"|needs a container runtime/)
    await kubectl('delete pod none')
  })

  await t.test('a service account sees what RBAC gives it, and nobody sees nothing', async () => {
    await kubectl('create serviceaccount reader')
    await kubectl('create role reader --verb=get,list --resource=configmaps')
    await kubectl('create rolebinding reader --role=reader --serviceaccount=default:reader')
    const token = (await kubectl('create token reader')).trim()
    const server = (await kubectl('config view --minify -o jsonpath={.clusters[0].cluster.server}')).trim()
    const as = (words: string[]) =>
      cluster.tryKubectl([
        '--kubeconfig=/dev/null',
        `--server=${server}`,
        '--insecure-skip-tls-verify',
        `--token=${token}`,
        ...words,
      ])
    assert.match((await as(['get', 'configmaps'])).stdout, /kube-root-ca.crt/)
    assert.match(
      (await as(['get', 'secrets'])).stderr,
      /secrets is forbidden: User "system:serviceaccount:default:reader" cannot list resource "secrets" in API group "" in the namespace "default"/,
    )
    const certificate = await kubectl(
      'config view --minify --raw -o jsonpath={.clusters[0].cluster.certificate-authority-data}',
    )
    const anonymous = (path: string) => statusOf(`${server}${path}`, Buffer.from(certificate, 'base64'))
    assert.equal(await anonymous('/version'), 200)
    assert.equal(await anonymous('/healthz'), 200)
    assert.equal(await anonymous('/api'), 401)
    assert.equal(await anonymous('/api/v1/namespaces'), 401)
  })

  await t.test('get -w sees what happens, and delete takes it away', async () => {
    const watching = cluster.spawnKubectl(['get', 'pods', '-w', '-l', 'app=brief'])
    let seen = ''
    watching.stdout?.on('data', chunk => {
      seen += chunk
    })
    await kubectl('apply -f -', pod('brief', { command: ['sleep', '3600'] }))
    await until('it is seen running', async () => /brief\s+1\/1\s+Running/.test(seen))
    await kubectl('delete pod brief')
    await until('it is seen ending', async () => /Terminating|Completed|Error/.test(seen))
    watching.kill()
  })
})
