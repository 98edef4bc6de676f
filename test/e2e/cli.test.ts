/** The command line against a whole cluster, as a person types it. Portable mode: it can be had everywhere. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { lastInstance } from '../../src/cli/instance.ts'
import { toolsMissing } from '../tools.ts'
import { type E2eCluster, execute, startE2eCluster, tuttiPath } from './cluster.ts'
import { until } from './load.ts'

const server = `require('http').createServer((q, s) => s.end(process.env.GREETING)).listen(process.env.PORT); console.log('listening', ...process.argv.slice(1))`

describe('the command line', { skip: toolsMissing }, () => {
  let cluster: E2eCluster
  const says = async (args: readonly string[], expected: { code?: number; out?: RegExp; err?: RegExp }, input = '') => {
    const result = await cluster.tutti(args, { input })
    const what = `tutti ${args.join(' ')}: ${JSON.stringify(result)}`
    assert.equal(result.code, expected.code ?? 0, what)
    if (expected.out) assert.match(result.stdout, expected.out, what)
    if (expected.err) assert.match(result.stderr, expected.err, what)
    return result
  }
  before(async () => {
    cluster = await startE2eCluster(['--network', 'portable'])
  })
  after(() => cluster?.delete())

  it('up a second time is harmless', async () => {
    const pid = cluster.pid()
    await says(['up'], { out: /is up already/ })
    assert.equal(cluster.pid(), pid)
  })

  it('status tells the mode and what it cannot give, --json the same for programs', async () => {
    await says(['status'], { out: /network +portable[\s\S]*no cluster DNS/ })
    const { stdout } = await says(['status', '--json'], {})
    assert.equal(JSON.parse(stdout).network.mode, 'portable')
  })

  it('run takes options after the name and leaves what follows -- to the command', async () => {
    const node = process.execPath
    await says(
      [
        'run',
        'web',
        '--port',
        '8080',
        '--replicas',
        '2',
        '-e',
        'GREETING=hi',
        '--',
        node,
        '-e',
        server,
        '--',
        '--port',
        'x',
      ],
      { out: /service\/web created\ndeployment.apps\/web created\nweb is ready/ },
    )
    const both = /^web-\S+ +listening --port x\nweb-\S+ +listening --port x\n$/
    await until('both listen', async () => both.test((await cluster.tutti(['logs', 'deploy/web'])).stdout))
    await says(['why', 'deploy/web'], { out: /deployment\/web is ready/ })
    await says(['exec', 'deploy/web', '--', 'sh', '-c', 'echo "$GREETING"; exit 7'], { code: 7, out: /^hi\n$/ })
    await says(['exec', '-i', 'deploy/web', '--', 'cat'], { out: /^typed$/ }, 'typed')
  })

  it('run says why a command does not start, and what to type next', async () => {
    await says(['run', 'broken', '--', 'sh', '-c', 'exit 3'], {
      code: 1,
      err: /broken does not start: .*exit code 3[\s\S]*next: tutti logs .* --previous\n +next: tutti delete deploy broken/,
    })
    await says(['delete', 'deploy', 'broken'], { out: /deployment.apps\/broken deleted/ })
  })

  it('get, scale and rollout speak to the real server', async () => {
    await says(['scale', 'deploy/web', '--replicas', '1'], { out: /^deployment.apps\/web scaled\n$/ })
    await says(['rollout', 'restart', 'deploy/web'], { out: /restarted/ })
    await says(['rollout', 'status', 'deploy/web'], { out: /successfully rolled out/ })
    await says(['rollout', 'history', 'deploy/web'], { out: /REVISION +CHANGE-CAUSE\n1 +<none>\n2 / })
    await says(['rollout', 'undo', 'deploy/web'], { out: /rolled back to revision 1/ })
    await says(['get', 'deploy', 'web'], { out: /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb / })
    const { stdout } = await says(['get', 'deploy', 'web', '--json'], {})
    assert.equal(JSON.parse(stdout).metadata.managedFields, undefined)
  })

  const causes: [name: string, manifest: object, cause: RegExp][] = [
    ['a node that does not exist', { nodeSelector: { disk: 'ssd' } }, /no node takes it: 0\/1 nodes/],
    [
      'no container runtime',
      { runtimeClassName: null, containers: [{ name: 'a', image: 'nginx' }] },
      /image "nginx" needs a container runtime.*set "image: host"/,
    ],
    [
      'an image',
      { containers: [{ name: 'a', image: 'nginx', command: ['true'] }] },
      /image "nginx" needs a container runtime/,
    ],
    [
      'a config map',
      { containers: [{ name: 'a', image: 'host', command: ['true'], envFrom: [{ configMapRef: { name: 'nope' } }] }] },
      /configmap "nope" not found/,
    ],
    [
      'a probe',
      {
        containers: [
          {
            name: 'a',
            image: 'host',
            command: ['sleep', '60'],
            readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 },
          },
        ],
      },
      /its probe fails/,
    ],
  ]
  for (const [at, [name, spec, cause]] of causes.entries())
    it(`why names ${name}`, async () => {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `why-${at}` },
        spec: {
          runtimeClassName: 'process',
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'a', image: 'host', command: ['sleep', '60'] }],
          ...spec,
        },
      }
      await says(['apply', '-f', '-'], { out: /created/ }, JSON.stringify(pod))
      for (let tries = 0; ; tries++) {
        const { code, stdout } = await cluster.tutti(['why', `why-${at}`])
        if (code === 1 && cause.test(stdout)) {
          assert.match(stdout, /next: /)
          break
        }
        assert.ok(tries < 40, stdout)
      }
      await says(['delete', 'pod', `why-${at}`], { out: /deleted/ })
    })

  it('errors name the cause and the next command', async () => {
    await says(['frob'], { code: 1, err: /unknown command 'frob'[\s\S]*tutti --help/ })
    await says(['get', 'frobs'], { code: 1, err: /no resource type "frobs"[\s\S]*kubectl api-resources/ })
    await says(['why', 'svc/nothing'], { code: 1, err: /services "nothing" not found/ })
    await says(['top', 'services'], { code: 1, err: /what "services" use is not known[\s\S]*tutti top nodes/ })
  })

  it('completion of bash knows commands and options', async () => {
    const script = `source <("${tuttiPath}" completion bash); COMP_WORDS=(tutti rol); COMP_CWORD=1; _tutti; echo "\${COMPREPLY[@]}"; COMP_WORDS=(tutti run --re); COMP_CWORD=2; _tutti; echo "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await execute('bash', ['-c', script])
    assert.equal(stdout, 'rollout\n--replicas\n', stderr)
  })

  it('up refuses a folder of other things, another format and a port in use', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tutti-cli-'))
    try {
      const other = join(folder, 'other')
      mkdirSync(other)
      writeFileSync(join(other, 'letter.txt'), 'dear')
      await says(['up', '--data-dir', other], { code: 1, err: /holds other things \(letter\.txt\)[\s\S]*--data-dir/ })
      await says(['delete', '--yes', '--data-dir', other], { code: 1, err: /is not a data directory of Tutti/ })
      const newer = join(folder, 'newer')
      mkdirSync(newer)
      writeFileSync(join(newer, 'version'), '{"format":7,"program":"9"}')
      await says(['up', '--data-dir', newer], { code: 1, err: /has format 7/ })
      const { stdout } = await cluster.tutti(['status', '--json'])
      const port = new URL(JSON.parse(stdout).server).port
      const taken = join(folder, 'taken')
      await says(['up', '--data-dir', taken, '--network', 'portable', '--port', port], {
        code: 1,
        err: /in use[\s\S]*--port/,
      })
      // It never came up: there is nothing to stop.
      await says(['delete', '--yes', '--data-dir', taken], { out: /is gone/ })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('delete asks, and says so where nobody can answer', () =>
    says(['delete'], { code: 1, err: /--yes/ }).then(() => {}))

  it('up waits for the end of a program that is stopping', async () => {
    const pid = cluster.pid()
    process.kill(pid, 'SIGTERM')
    await until('it says so', async () => {
      const last = lastInstance(cluster.dataDir)
      return last?.ending || last?.ended
    })
    await cluster.up()
    assert.notEqual(cluster.pid(), pid)
  })

  it('delete stops the workloads of a program that was killed, and starts none', async () => {
    const starts = join(cluster.dataDir, '..', 'starts')
    const pidsOf = () => readFileSync(starts, 'utf8').split('\n').filter(Boolean).map(Number)
    writeFileSync(starts, '')
    // Of four, a pod's command has two.
    await says(['run', 'noted', '--', 'sh', '-c', `echo $$$$ >>${starts}; exec sleep 1000`], { out: /noted is ready/ })
    await until('it has noted its start', async () => pidsOf().length > 0)
    const before = pidsOf()
    process.kill(cluster.pid(), 'SIGKILL')
    await says(['get', 'pods'], { code: 1, err: /Tutti is not running[\s\S]*tutti up/ })
    process.kill(before[0]!, 'SIGKILL')
    await says(['delete', '--yes'], { out: /is gone/ })
    assert.deepEqual(pidsOf(), before)
    await says(['status'], { code: 1, out: /not running/ })
  })
})
