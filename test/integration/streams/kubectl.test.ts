/** exec, attach, logs and port-forward by the real kubectl, over WebSocket and over SPDY, against a node of the test. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { ADMIN, pod, startServer } from '../../../src/apiserver/bootstrap/server.fixture.ts'
import type { NodeApi } from '../../../src/client/node-api.ts'
import { realClock } from '../../../src/lib/clock.ts'
import { buildKubeconfig, writeKubeconfig } from '../../../src/lib/kubeconfig.ts'
import { openPki } from '../../../src/lib/pki/files.ts'
import { virtualClock } from '../../../src/lib/virtual-clock.ts'
import { kubectlPath, toolsMissing } from '../../tools.ts'

const SIZE = 8 * 1024 * 1024

interface Result {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

/** A node whose commands do what their first word says. `aborted` resolves when a command's client went away. */
function testNode(port: number) {
  let abort = () => {}
  const aborted = new Promise<void>(resolve => {
    abort = resolve
  })
  const node: NodeApi = {
    async logs(_pod, { follow }, signal) {
      async function* lines() {
        for (let line = 1; line <= (follow ? 3 : 2) && !signal.aborted; line++) yield Buffer.from(`line ${line}\n`)
      }
      return lines()
    },
    async exec(_pod, { command }, { stdin, stdout, stderr, signal }) {
      const [word, value] = command
      if (word === 'cat') for await (const chunk of stdin!) await stdout!(chunk)
      else if (word === 'fill') for (let sent = 0; sent < SIZE; sent += 65536) await stdout!(Buffer.alloc(65536, 120))
      else if (word === 'fail') throw new Error('the runtime is gone')
      else if (word === 'wait') {
        await stdout!(Buffer.from('waiting\n'))
        await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
        abort()
      } else {
        await stdout!(Buffer.from('out'))
        await stderr!(Buffer.from('err'))
      }
      return { exitCode: Number(value ?? 0) }
    },
    async attach(_pod, _options, { stdout }) {
      await stdout!(Buffer.from('attached\n'))
    },
    connect: async () => connect(port, '127.0.0.1'),
  }
  return { node, aborted }
}

describe('kubectl over the streams of the API server', { skip: toolsMissing }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-streams-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const echo = createServer({ allowHalfOpen: true }, socket => {
    socket.on('data', data => socket.end(data.toString().toUpperCase()))
    socket.on('error', () => {})
  })
  let stop = async () => {}
  let aborted: Promise<void>

  before(async () => {
    await new Promise<void>(resolve => echo.listen(0, '127.0.0.1', resolve))
    const { server, nodes, send } = await startServer({ clock: virtualClock(Date.now()) })
    const test = testNode((echo.address() as { port: number }).port)
    nodes.set('n1', test.node)
    aborted = test.aborted
    const pki = openPki({ dir: join(folder, 'pki'), clock: realClock })
    const [authority, own, admin] = await Promise.all([pki.authority(), pki.server(), pki.admin()])
    const listening = await server.listen({
      hosts: ['127.0.0.1'],
      port: 0,
      tls: { cert: own.certificate, key: own.key, clientCa: authority.certificate },
    })
    const url = `https://127.0.0.1:${listening.port}`
    await writeKubeconfig(
      kubeconfig,
      buildKubeconfig({ name: 't', server: url, authority: authority.certificate, ...admin }),
    )
    const path = '/api/v1/namespaces/default/pods'
    const { object } = await send(ADMIN, 'POST', path, pod('p', { nodeName: 'n1' }))
    await send(ADMIN, 'PUT', `${path}/p/status`, { ...object, status: { phase: 'Running' } })
    stop = async () => {
      await listening.close(0)
      await server.close()
    }
  })
  after(async () => {
    await stop()
    echo.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = (args: string[], env: Record<string, string> = {}) =>
    spawn(kubectlPath(), args, { env: { ...process.env, KUBECONFIG: kubeconfig, HOME: folder, ...env } })

  const finished = (child: ChildProcess): Promise<Result> =>
    new Promise(resolve => {
      const out: Buffer[] = []
      let stderr = ''
      child.stdout!.on('data', (chunk: Buffer) => out.push(chunk))
      child.stderr!.on('data', (chunk: Buffer) => {
        stderr += chunk
      })
      child.once('close', code => resolve({ code, stdout: Buffer.concat(out), stderr }))
    })

  const run = (args: string[], env: Record<string, string>, input?: Buffer) => {
    const child = start(args, env)
    // A command that ends before its input does closes the pipe.
    child.stdin!.on('error', () => {})
    child.stdin!.end(input)
    return finished(child)
  }

  test('logs prints what there is, and what comes', async () => {
    assert.equal((await run(['logs', 'p'], {})).stdout.toString(), 'line 1\nline 2\n')
    assert.equal((await run(['logs', '-f', 'p'], {})).stdout.toString(), 'line 1\nline 2\nline 3\n')
  })

  for (const [protocol, on] of [
    ['WebSocket', 'true'],
    ['SPDY', 'false'],
  ] as const) {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: on, KUBECTL_PORT_FORWARD_WEBSOCKETS: on }

    test(`exec over ${protocol} gives output, errors and the exit code`, async () => {
      const { code, stdout, stderr } = await run(['exec', 'p', '--', 'exit', '7'], env)
      assert.deepEqual([code, stdout.toString()], [7, 'out'])
      assert.match(stderr, /^err/)
      const failed = await run(['exec', 'p', '--', 'fail'], env)
      assert.equal(failed.code, 1)
      assert.match(failed.stderr, /the runtime is gone/)
    })

    test(`exec over ${protocol} carries megabytes both ways and ends with the input`, async () => {
      const input = Buffer.alloc(SIZE, 'tutti ')
      assert.ok((await run(['exec', '-i', 'p', '--', 'cat'], env, input)).stdout.equals(input))
      assert.equal((await run(['exec', 'p', '--', 'fill'], env)).stdout.length, SIZE)
      const early = await run(['exec', '-i', 'p', '--', 'exit', '3'], env, input)
      assert.deepEqual([early.code, early.stdout.toString()], [3, 'out'], 'a command that reads none of it')
    })

    test(`attach over ${protocol} shows what the container writes`, async () => {
      assert.equal((await run(['attach', 'p'], env)).stdout.toString(), 'attached\n')
    })

    test(`port-forward over ${protocol} serves connections one after the other and at once`, async () => {
      const child = start(['port-forward', 'p', ':8080'], env)
      const port = await new Promise<number>(resolve => {
        child.stdout.on('data', (chunk: Buffer) => {
          const match = /127\.0\.0\.1:(\d+)/.exec(chunk.toString())
          if (match) resolve(Number(match[1]))
        })
      })
      const ask = (text: string) =>
        new Promise<string>((resolve, reject) => {
          let answer = ''
          const socket = connect(port, '127.0.0.1', () => socket.write(text))
          socket.on('data', chunk => {
            answer += chunk
          })
          socket.on('end', () => resolve(answer))
          socket.on('error', reject)
        })
      assert.equal(await ask('one'), 'ONE')
      assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(ask)), ['A', 'B', 'C'])
      const ended = finished(child)
      child.kill()
      await ended
    })
  }

  test('a kubectl that is stopped ends the command', async () => {
    const child = start(['exec', 'p', '--', 'wait'])
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.kill()
    await aborted
  })
})
