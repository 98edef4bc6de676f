import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { realClock } from '../lib/clock.ts'
import { parseCidr } from '../lib/ip-range.ts'
import { silent } from '../lib/log.ts'
import { closeFirewalls, droppingChains, openFirewalls } from './firewall.ts'
import { startKernelPodNetwork } from './pod-network/kernel.ts'
import { inOwnNetwork } from './testing/own-network.ts'
import { attempt, run } from './tools/command.ts'
import { startIp } from './tools/ip.ts'
import { startNft } from './tools/nft.ts'

test('droppingChains finds foreign base chains that drop what is forwarded or comes in', () => {
  const chain = (table: string, name: string, more: object) => ({ chain: { family: 'ip', table, name, ...more } })
  const json = JSON.stringify({
    nftables: [
      { metainfo: {} },
      chain('filter', 'FORWARD', { hook: 'forward', policy: 'drop' }),
      chain('filter', 'INPUT', { hook: 'input', policy: 'accept' }),
      chain('filter', 'OUTPUT', { hook: 'output', policy: 'drop' }),
      chain('filter', 'DOCKER', {}),
      chain('tutti-pods', 'forward', { hook: 'forward', policy: 'drop' }),
      { chain: { family: 'ip6', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' } },
      { chain: { family: 'inet', table: 'fw', name: 'in', hook: 'input', policy: 'drop' } },
    ],
  })
  assert.deepEqual(
    droppingChains(json, ['IPv4']).map(({ family, table, name }) => `${family} ${table} ${name}`),
    ['ip filter FORWARD', 'inet fw in'],
  )
})

const PODS = parseCidr('10.244.0.0/24')

inOwnNetwork(import.meta.filename, 'openFirewalls lets pods through chains that drop by default', () => {
  const drops: readonly [name: string, set: string, skip: string][] = [
    ['iptables', 'iptables -P FORWARD DROP && iptables -P INPUT DROP', 'iptables --version'],
    [
      'nftables',
      `nft 'add table inet fw; add chain inet fw f { type filter hook forward priority 10; policy drop; }; add chain inet fw i { type filter hook input priority 10; policy drop; }'`,
      'nft --version',
    ],
  ]
  for (const [name, set, needs] of drops)
    test(`openFirewalls opens, and closeFirewalls closes, ${name}`, async t => {
      if ((await attempt('sh', ['-c', needs])).code !== 0) return t.skip(`${needs} does not work here`)
      await run('nft', ['flush', 'ruleset'])
      const directory = mkdtempSync(join(tmpdir(), 'tutti-firewall-'))
      const [ip, nft] = [startIp(), startNft(directory)]
      await ip.run('addr replace 10.244.0.1/32 dev lo')
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
      const network = await startKernelPodNetwork(
        {
          ranges: [{ podCidr: PODS, nodeAddress: '10.244.0.1', clusterCidr: PODS }],
          directory: join(directory, 'pods'),
          netnsDirectory: join(directory, 'netns'),
          mtu: 1500,
          dns: { servers: [], clusterDomain: 'cluster.local' },
          exposed: false,
          spares: 0,
        },
        { ip, nft, logger: silent, clock: realClock },
        new AbortController().signal,
      )
      const pod = (n: number) => ({ namespace: 'a', name: `${n}`, uid: `${n}0000000-1`, hostname: `${n}`, ports: [] })
      const [a, b] = [await network.setup(pod(1)), await network.setup(pod(2))]
      /** `dropped`: nothing came. Where that is expected it is soon believed. */
      const reach = async (to: string, silence = false) =>
        (
          await run('nsenter', [
            `--net=${a.netns}`,
            process.execPath,
            '-e',
            `const s = require('net').connect(9, '${to}').on('error', e => console.log(e.code)); s.setTimeout(${silence ? 400 : 20_000}, () => { console.log('dropped'); s.destroy() })`,
          ])
        ).trim()
      assert.equal(await reach(b.ips[0]!), 'ECONNREFUSED', 'without a firewall b answers')
      await run('sh', ['-c', set])
      assert.equal(await reach(b.ips[0]!, true), 'dropped')
      assert.equal(await reach('10.244.0.1', true), 'dropped')
      assert.deepEqual(await openFirewalls(['IPv4'], { logger: silent }), [])
      await openFirewalls(['IPv4'], { logger: silent })
      assert.equal(await reach(b.ips[0]!), 'ECONNREFUSED')
      assert.equal(await reach('10.244.0.1'), 'ECONNREFUSED')
      await closeFirewalls()
      assert.equal(await reach(b.ips[0]!, true), 'dropped')
      for (const uid of await network.list()) await network.teardown(uid)
      ip.close()
      nft.close()
      rmSync(directory, { recursive: true })
    })
})
