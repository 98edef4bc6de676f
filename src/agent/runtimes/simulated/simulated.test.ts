import assert from 'node:assert/strict'
import { it } from 'node:test'
import { settled, virtualClock } from '../../../lib/virtual-clock.ts'
import { plainContainer, plainSandbox } from '../configs.fixture.ts'
import { runtimeContract } from '../runtime.contract.ts'
import { RuntimeError } from '../runtime.ts'
import { openSimulatedDriver } from './driver.ts'
import type { ContainerScript, SimulationScript } from './script.ts'

const sandbox = (uid: string) =>
  plainSandbox(uid, '/nowhere', { name: `pod-${uid.slice(-4)}`, handler: 'simulated', ips: [] })

/** What the contract's commands mean. */
function fromCommand([word, ...rest]: readonly string[]): ContainerScript {
  const exec: ContainerScript['exec'] = ([verb, ...args]) =>
    verb === 'exit' ? { exitCode: Number(args[0]) } : { output: `${args.join(' ')}\n` }
  if (word === 'exit') return { exitAfterMs: 0, exitCode: Number(rest[0]) }
  if (word === 'stubborn') return { stopMs: null, prints: ['deaf'] }
  if (word === 'print') return { prints: rest }
  if (word === 'missing') return { startError: { reason: 'StartError', message: 'no such command' } }
  return { exec }
}
const contractScript: SimulationScript = {
  container: ({ command }) => fromCommand(command),
  image: image => (image === 'bad' ? { error: { reason: 'ErrImagePull', message: 'no such image' } } : {}),
}

runtimeContract('simulated', async () => {
  const clock = virtualClock()
  const driver = openSimulatedDriver({ clock, script: contractScript, address: () => '10.244.0.1' })
  return {
    driver,
    sandbox,
    wait: ms => clock.advance(ms),
    isPlayed: true,
    commands: {
      forever: ['forever'],
      stubborn: ['stubborn'],
      exit: code => ['exit', String(code)],
      print: lines => ['print', ...lines],
      echo: text => ['echo', text],
      missing: ['missing'],
    },
    image: 'good',
    badImage: 'bad',
    close: () => driver.close(),
  }
})

const config = plainContainer('v1')

it('openSimulatedDriver takes the time that its script says, on its own clock', async () => {
  const clock = virtualClock()
  const script: SimulationScript = {
    sandboxMs: () => 100,
    image: () => ({ pullMs: 2000 }),
    container: () => ({ startMs: 50, healthyMs: 300, exitAfterMs: 1000, exitCode: 4 }),
  }
  const driver = openSimulatedDriver({ clock, script, address: () => '10.244.0.9' })
  const times: number[] = []
  const start = clock.now()
  const life = (async () => {
    const id = await driver.runSandbox(sandbox('uid'))
    times.push(clock.now() - start)
    await driver.pullImage('v1')
    times.push(clock.now() - start)
    const container = await driver.createContainer(id, config)
    await driver.startContainer(container)
    times.push(clock.now() - start)
    return container
  })()
  await clock.advance(2200)
  const id = await life
  assert.deepEqual(times, [100, 2100, 2150])
  assert.equal((await driver.probe!(id, {}, 1000)).ok, false)
  await clock.advance(300)
  assert.equal((await driver.probe!(id, {}, 1000)).ok, true)
  await clock.advance(700)
  assert.equal((await driver.containerStatus(id))?.exitCode, 4)
  await assert.rejects(driver.probe!(id, {}, 1000), RuntimeError)
})

it('logs with follow ends with the container', async () => {
  const clock = virtualClock()
  const script: SimulationScript = { container: () => ({ prints: ['one'], exitAfterMs: 500 }) }
  const driver = openSimulatedDriver({ clock, script, address: () => '10.244.0.9' })
  const id = await driver.createContainer(await driver.runSandbox(sandbox('uid')), config)
  await driver.startContainer(id)
  let text = ''
  let ended = false
  const reading = (async () => {
    const options = { container: 'main', follow: true }
    for await (const chunk of await driver.logs(id, options, new AbortController().signal)) text += Buffer.from(chunk)
    ended = true
  })()
  await settled()
  assert.deepEqual([text, ended], ['one\n', false])
  await clock.advance(500)
  await reading
  assert.ok(ended)
})
