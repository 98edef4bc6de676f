/** The shop of examples/, bought from in a real browser where there is one, in every network mode that this machine has. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute, type Result, tuttiPath } from './cluster.ts'
import { until } from './load.ts'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(path => {
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

const usersAllowed = (() => {
  try {
    execFileSync('unshare', ['-Urn', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const isRoot = process.getuid?.() === 0

const modes = [
  {
    mode: 'kernel',
    how: ['--containers'],
    skip: process.platform === 'linux' && isRoot ? false : 'needs root on Linux',
  },
  {
    mode: 'rootless',
    how: ['--containers'],
    skip: process.platform === 'linux' && usersAllowed ? false : 'needs Linux with user namespaces',
  },
  { mode: 'portable', how: [], skip: false },
] as const

interface Order {
  number: number
  total: number
  payment: { version: string }
}

/** Buys a baton over the shop's API. */
async function buy(address: string): Promise<Order> {
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${address}/api${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
    const text = await response.text()
    assert.equal(response.status, 200, `${path}: ${text}`)
    return JSON.parse(text)
  }
  await post('/carts/test', { product: 'baton' })
  return (await post('/orders', { cart: 'test' })) as Order
}

/** The shop's page by its Ingress, once that is served. */
async function throughIngress(tutti: (args: readonly string[]) => Promise<Result>): Promise<string> {
  const served = await until('the Ingress of the shop to be served', async () => {
    const { stdout } = await tutti(['get', 'ingress', 'shop', '-n', 'shop', '-o', 'json'])
    return JSON.parse(stdout).status?.loadBalancer?.ingress?.[0]
  })
  const sent = get({ host: served.ip, port: served.ports[0].port, headers: { Host: 'shop.localhost' } })
  const [response] = await once(sent, 'response')
  let page = ''
  for await (const chunk of response.setEncoding('utf8')) page += chunk
  return page
}

for (const { mode, how, skip } of modes) {
  // In containers, it runs side by side with processes: in containerd where the machine has it, else on images alone.
  test(`the shop sells in ${mode} mode`, { skip }, async t => {
    const folder = mkdtempSync(join(tmpdir(), `tutti-shop-${mode}-`))
    const env = {
      ...process.env,
      HOME: folder,
      KUBECONFIG: join(folder, 'kubeconfig'),
      TUTTI_DATA_DIR: join(folder, 'data'),
      NO_COLOR: '1',
    }
    const tutti = (args: readonly string[]) => execute(tuttiPath, args, { env })
    try {
      const free = ['--port', '0', '--http-port', '0', '--https-port', '0']
      const up = await tutti(['up', ...free, '--network', mode])
      assert.equal(up.code, 0, up.stderr)
      const started = await tutti(['example', 'shop', '--detach', '--json', ...how])
      assert.equal(started.code, 0, started.stderr + started.stdout)
      const { address, seconds } = JSON.parse(started.stdout.split('\n').find(line => line.startsWith('{'))!)
      t.diagnostic(`${address} after ${seconds} s`)
      const order = await buy(address)
      assert.equal(order.total, 24)
      assert.equal((await buy(address)).number, order.number + 1)
      const versions = new Set<string>()
      for (let i = 0; i < 40 && versions.size < 2; i++) versions.add((await buy(address)).payment.version)
      assert.deepEqual([...versions].sort(), ['v1', 'v2'])
      assert.match(await throughIngress(tutti), /<title>/)
      const status = JSON.parse((await tutti(['status', '--json'])).stdout)
      assert.equal(status.network.mode, mode)
      assert.deepEqual(status.pods.notReady, [])
    } finally {
      const { code, stderr } = await tutti(['delete', '--yes'])
      assert.equal(code, 0, stderr)
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

test('a page in a real browser buys something', {
  skip: CHROMIUM ? false : 'no chromium on this machine',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-browser-'))
  const env = {
    ...process.env,
    HOME: folder,
    KUBECONFIG: join(folder, 'kubeconfig'),
    TUTTI_DATA_DIR: join(folder, 'data'),
    NO_COLOR: '1',
  }
  try {
    assert.equal((await execute(tuttiPath, ['up', '--port', '0'], { env })).code, 0)
    const started = await execute(tuttiPath, ['example', 'shop', '--detach', '--json'], { env })
    const { address } = JSON.parse(started.stdout.split('\n').find(line => line.startsWith('{'))!)
    const { browse } = await import('./browser.ts')
    const message = await browse(CHROMIUM!, address, async page => {
      await page.until(`document.querySelectorAll('article button').length === 6`)
      await page.evaluate(`document.querySelectorAll('article button')[0].click()`)
      await page.until(`!document.getElementById('buy').disabled`)
      await page.evaluate(`document.getElementById('buy').click()`)
      await page.until(`document.getElementById('message').textContent.includes('is paid')`)
      if (process.env.TUTTI_SCREENSHOT) await page.screenshot(process.env.TUTTI_SCREENSHOT)
      return page.evaluate(`document.getElementById('message').textContent`)
    })
    assert.match(String(message), /Order \d+ is paid: €480\.00, by payments v[12]/)
  } finally {
    await execute(tuttiPath, ['delete', '--yes'], { env })
    rmSync(folder, { recursive: true, force: true })
  }
})

test('an ordinary user has a cluster of his own', { skip: isRoot ? false : 'runs as that user already' }, async t => {
  // Root's checkout may not be readable for others: the user gets the program as a copy.
  const folder = mkdtempSync(join(tmpdir(), 'tutti-nobody-'))
  chmodSync(folder, 0o755)
  const root = join(import.meta.dirname, '../..')
  for (const part of ['bin', 'src', 'examples', 'package.json', 'node_modules'])
    cpSync(join(root, part), join(folder, 'tutti', part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: path => !path.includes('.cache'),
    })
  execFileSync('chown', ['-R', '65534:65534', folder])
  const env = { PATH: process.env.PATH, HOME: join(folder, 'home'), NO_COLOR: '1', TMPDIR: folder }
  const tutti = (args: readonly string[]) =>
    execute('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', join(folder, 'tutti/bin/tutti'), ...args], {
      env,
      cwd: folder,
    })
  try {
    const up = await tutti(['up', '--port', '0'])
    assert.equal(up.code, 0, up.stderr)
    const started = await tutti(['example', 'shop', '--detach', '--json'])
    assert.equal(started.code, 0, started.stderr + started.stdout)
    const { address } = JSON.parse(started.stdout.split('\n').find(line => line.startsWith('{'))!)
    assert.equal((await buy(address)).total, 24)
    t.diagnostic(`network ${JSON.parse((await tutti(['status', '--json'])).stdout).network.mode}`)
  } finally {
    await tutti(['delete', '--yes'])
    rmSync(folder, { recursive: true, force: true })
  }
})
