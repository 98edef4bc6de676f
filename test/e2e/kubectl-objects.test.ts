/** kubectl's ways to make, change, wait for and delete objects, and to take a node out of service. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { toolsMissing } from '../tools.ts'
import { startE2eCluster } from './cluster.ts'
import { until } from './load.ts'

const template = (name: string, env: object[] = []) => ({
  metadata: { labels: { app: name } },
  spec: {
    runtimeClassName: 'process',
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: 'host', command: ['sleep', '3600'], env }],
  },
})
const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  ...template(name),
  metadata: { name, labels: { app: name } },
})
const deployment = (name: string, version: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: template(name, [{ name: 'VERSION', value: version }]),
  },
})
const map = (name: string, data: object, labels: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
})

test('kubectl and objects', { skip: toolsMissing ?? false }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-objects-'))
  const cluster = await startE2eCluster()
  t.after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await cluster.delete()
  })
  const kubectl = (line: string, input?: unknown) =>
    cluster.kubectl(line.split(' '), input === undefined ? {} : { input: JSON.stringify(input) })
  const attempt = (line: string) => cluster.tryKubectl(line.split(' '))

  await t.test('create and expose make each kind they know', async () => {
    const cases: [string, RegExp][] = [
      ['create deployment made --image=host --replicas=0', /deployment.apps\/made created/],
      ['create configmap made --from-literal=a=1', /configmap\/made created/],
      ['create secret generic made --from-literal=a=1', /secret\/made created/],
      ['create secret docker-registry registry --docker-server=a --docker-username=b --docker-password=c', /created/],
      ['create service clusterip made --tcp=80:8080', /service\/made created/],
      ['create service nodeport open --tcp=80', /service\/open created/],
      ['create service externalname other --external-name=example.org', /service\/other created/],
      ['create job made --image=host -- true', /job.batch\/made created/],
      ['create cronjob made --image=host --schedule=@daily', /cronjob.batch\/made created/],
      ['create serviceaccount made', /serviceaccount\/made created/],
      ['create role made --verb=get --resource=pods', /role.rbac.authorization.k8s.io\/made created/],
      ['create rolebinding made --role=made --serviceaccount=default:made', /rolebinding.*\/made created/],
      ['create clusterrole made --verb=get --resource=nodes', /clusterrole.*\/made created/],
      ['create clusterrolebinding made --clusterrole=made --user=somebody', /clusterrolebinding.*\/made created/],
      ['create quota made --hard=pods=1000', /resourcequota\/made created/],
      ['create poddisruptionbudget made --selector=app=made --min-available=1', /poddisruptionbudget.*\/made created/],
      ['create priorityclass made --value=5', /priorityclass.*\/made created/],
      ['create ingress made --rule=example.org/=made:80', /ingress.*\/made created/],
      ['create namespace made', /namespace\/made created/],
      ['expose deployment made --port=80 --name=exposed', /service\/exposed exposed/],
      ['autoscale deployment made --max=4 --name=made', /horizontalpodautoscaler.autoscaling\/made autoscaled/],
    ]
    for (const [line, expected] of cases) assert.match(await kubectl(line), expected, line)
    assert.match((await attempt('create configmap made')).stderr, /configmaps "made" already exists/)
    assert.match(await kubectl('auth can-i get nodes --as=somebody'), /yes/)
    assert.match((await attempt('auth can-i delete nodes --as=somebody')).stdout, /no/)
    assert.match(await kubectl('delete namespace made'), /namespace "made" deleted/)
    await kubectl('delete deployment,job,cronjob,hpa,ingress,quota,pdb --all')
  })

  await t.test('rollout history, undo and set resources', async () => {
    await kubectl('apply -f -', deployment('web', 'one'))
    await kubectl('rollout status deployment/web --timeout=120s')
    await kubectl('apply -f -', deployment('web', 'two'))
    await kubectl('annotate deployment web kubernetes.io/change-cause=second')
    await kubectl('rollout status deployment/web --timeout=120s')
    assert.match(await kubectl('rollout history deployment/web'), /1 +<none>\n2 +second/)
    assert.match(await kubectl('rollout history deployment/web --revision=1'), /VERSION:\tone/)
    assert.match(await kubectl('rollout undo deployment/web'), /rolled back/)
    await kubectl('rollout status deployment/web --timeout=120s')
    const version = '-o jsonpath={.spec.template.spec.containers[0].env[0].value}'
    assert.equal(await kubectl(`get deployment web ${version}`), 'one')
    assert.match(await kubectl('rollout history deployment/web'), /2 +second\n3 +<none>/)
    await kubectl('set resources deployment/web --limits=memory=64Mi --requests=cpu=10m')
    await kubectl('rollout status deployment/web --timeout=120s')
    const [line] = (await kubectl('get pods -l app=web --sort-by=.metadata.creationTimestamp -o name'))
      .split('\n')
      .slice(-2)
    assert.match(await kubectl(`describe ${line}`), /Limits:\n +memory: +64Mi\n +Requests:\n +cpu: +10m/)
  })

  await t.test('delete in the background, in the foreground, leaving orphans, by force', async () => {
    await kubectl('delete deployment web --cascade=orphan')
    const sets = (await kubectl('get replicasets -l app=web -o name')).trim().split('\n')
    assert.equal(sets.length, 3)
    const owner = '-o jsonpath={.items[*].metadata.ownerReferences}'
    await until('the orphans have no owner', async () => (await kubectl(`get replicasets -l app=web ${owner}`)) === '')
    await kubectl(`delete ${sets.join(' ')} --cascade=foreground`)
    assert.equal(await kubectl('get pods -l app=web -o name'), '', 'in the foreground the pods go first')
    await kubectl('apply -f -', pod('slow'))
    await kubectl('wait --for=condition=Ready pod/slow --timeout=120s')
    const forced = await attempt('delete pod slow --force --grace-period=0')
    assert.match(forced.stderr, /Immediate deletion does not wait/)
    assert.match((await attempt('get pod slow')).stderr, /pods "slow" not found/)
    assert.match(await kubectl('delete configmap none --ignore-not-found'), /^$/)
  })

  await t.test('wait for what is created, becomes true, and goes away', async () => {
    const waiting = (line: string) => kubectl(`wait --timeout=120s ${line}`)
    const created = waiting('--for=create pod/awaited')
    await kubectl('apply -f -', pod('awaited'))
    assert.match(await created, /condition met/)
    assert.match(await waiting('--for=jsonpath={.status.phase}=Running pod/awaited'), /condition met/)
    assert.match(await waiting('--for=condition=Ready pod -l app=awaited'), /condition met/)
    const gone = waiting('--for=delete pod/awaited')
    await kubectl('delete pod awaited --wait=false')
    // A wait that begins late finds it gone, and says nothing.
    assert.match(await gone, /^$|deleted|condition met/)
    assert.match((await attempt('get pod awaited')).stderr, /pods "awaited" not found/)
    assert.match((await attempt('wait --for=condition=Never node --all --timeout=0')).stderr, /timed out|condition/)
  })

  await t.test(
    'lists in chunks, by selectors, sorted, with labels; events; raw paths; no complaint about contents',
    async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await kubectl('create -f -', map(name, { name }, { set: 'chunks' }))
      const names = 'configmap/e\nconfigmap/d\nconfigmap/c\nconfigmap/b\nconfigmap/a\n'
      const listed = await kubectl('get configmaps -l set=chunks --chunk-size=2 -o name')
      assert.deepEqual(listed.trim().split('\n').sort(), names.trim().split('\n').sort())
      assert.equal(await kubectl('get configmaps --field-selector=metadata.name=b -o name'), 'configmap/b\n')
      assert.match(
        await kubectl('get configmaps -l set=chunks -L set --show-labels'),
        /SET +LABELS\na .*chunks +set=chunks/,
      )
      assert.match(await kubectl('events'), /LAST SEEN +TYPE +REASON[\s\S]*ScalingReplicaSet/)
      assert.match(await kubectl('get --raw /apis/apps/v1'), /"kind":"APIResourceList"/)
      assert.match(await kubectl('api-versions'), /^apps\/v1$[\s\S]*^v1$/m)
      assert.match(await kubectl('config current-context'), /tutti/)
      assert.match(await kubectl('explain configmap.data'), /FIELD: data <map\[string\]string>/)
      const { stderr } = await attempt('get configmaps,events,pods --v=8')
      assert.match(stderr, /"Response" status="200 OK"/)
      assert.doesNotMatch(
        stderr,
        /unacceptable|not ?acceptable|unable to decode|content.type.*(unsupported|error)|^[EW]\d{4} /im,
      )
    },
  )

  await t.test('apply --prune deletes what is not given any more; apply -k builds a kustomization', async () => {
    const both = [map('kept', {}, { set: 'pruned' }), map('dropped', {}, { set: 'pruned' })]
    const list = (items: object[]) => ({ apiVersion: 'v1', kind: 'List', items })
    const prune = 'apply -f - --prune -l set=pruned --prune-allowlist=core/v1/ConfigMap'
    await kubectl(prune, list(both))
    assert.match(await kubectl(prune, list(both.slice(0, 1))), /configmap\/dropped pruned/)
    assert.equal(await kubectl('get configmaps -l set=pruned -o name'), 'configmap/kept\n')
    writeFileSync(join(folder, 'pod.json'), JSON.stringify(pod('kustomized')))
    writeFileSync(
      join(folder, 'kustomization.yaml'),
      'resources: [pod.json]\nnamePrefix: my-\nconfigMapGenerator:\n  - {name: made, literals: [a=b]}\n',
    )
    assert.match(await kubectl(`apply -k ${folder}`), /configmap\/my-made-\w+ created\npod\/my-kustomized created/)
    assert.match(await kubectl(`delete -k ${folder}`), /pod "my-kustomized" deleted/)
  })

  await t.test('cordon, taint and drain take the node out of service, within disruption budgets', async () => {
    const node = (await kubectl('get nodes -o jsonpath={.items[0].metadata.name}')).trim()
    await kubectl('apply -f -', deployment('moving', 'one'))
    await kubectl('rollout status deployment/moving --timeout=120s')
    await kubectl(`cordon ${node}`)
    assert.match(await kubectl('get nodes'), /Ready,SchedulingDisabled/)
    await kubectl('create poddisruptionbudget moving --selector=app=moving --min-available=2')
    await until('the budget is counted', async () =>
      /2$/.test(await kubectl('get pdb moving -o jsonpath={.status.currentHealthy}')),
    )
    const kept = await attempt(`drain ${node} --ignore-daemonsets --force --timeout=1s`)
    assert.match(kept.stderr, /Cannot evict pod as it would violate the pod's disruption budget/)
    await kubectl('delete pdb moving')
    assert.match(await kubectl(`drain ${node} --ignore-daemonsets --force --timeout=120s`), /drained/)
    assert.match(await kubectl('get pods -l app=moving'), /Pending/)
    await kubectl(`taint nodes ${node} away=now:NoSchedule`)
    await kubectl(`uncordon ${node}`)
    assert.match(await kubectl('describe nodes'), /Taints: +away=now:NoSchedule/)
    await kubectl(`taint nodes ${node} away-`)
    await kubectl('rollout status deployment/moving --timeout=120s')
  })
})
