import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../../lib/log.ts'
import type { Nft } from '../../tools/nft.ts'
import { createNftablesProxy } from './proxy.ts'

test('createNftablesProxy fills a table in parts where a transaction has no room for all of it', async () => {
  const loads: string[] = []
  const changes: string[] = []
  const nft: Nft = {
    async load(ruleset) {
      loads.push(ruleset)
      if (ruleset.includes('add element'))
        throw new Error('nft: netlink: Error: Could not process rule: Message too long')
    },
    change: async commands => void changes.push(commands),
    follow: () => () => {},
    isOwn: () => false,
    close() {},
  }
  const proxy = createNftablesProxy(
    { family: 'IPv4', serviceCidr: '10.96.0.0/16', podLinks: '"tutti-*"', nodeAddress: '10.244.0.1', exposed: false },
    { nft, logger: silent },
  )
  const backends = Array.from({ length: 1500 }, (_, n) => ({ address: `10.128.${n >> 8}.${n & 255}`, port: 8080 }))
  const frontends = [{ kind: 'cluster' as const, address: '10.96.0.7', port: 80 }]
  await proxy.reset(new Map([['default/web', [{ id: 'default/web:80', protocol: 'tcp', frontends, backends }]]]))
  assert.equal(loads.length, 2, 'the second without elements')
  assert.equal(changes.length, 2)
  assert.equal(changes.join().match(/10\.96\.0\.7 \. tcp \. 80 \. \d+ : /g)?.length, 1500)
  assert.equal(changes.join().match(/goto draw-1500/g)?.length, 1)
})
