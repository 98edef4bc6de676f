import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { silent } from '../../../lib/log.ts'
import { inOwnNetwork } from '../../testing/own-network.ts'
import { run } from '../../tools/command.ts'
import { createConntrack, hasConntrack } from '../../tools/conntrack.ts'
import { startNft } from '../../tools/nft.ts'
import { proxyContract } from '../proxy.contract.ts'
import { createNftablesProxy } from './proxy.ts'

inOwnNetwork(import.meta.filename, 'createNftablesProxy keeps the contract in a network of its own', () => {
  proxyContract('createNftablesProxy', async () => {
    await run('ip', ['address', 'add', '10.244.0.1/32', 'dev', 'lo'])
    await run('ip', ['route', 'add', '10.96.0.0/16', 'dev', 'lo', 'src', '10.244.0.1'])
    const tracked = await hasConntrack()
    const directory = mkdtempSync(join(tmpdir(), 'tutti-nft-'))
    const nft = startNft(directory)
    const proxy = createNftablesProxy(
      { family: 'IPv4', serviceCidr: '10.96.0.0/16', podLinks: '"tutti-*"', nodeAddress: '10.244.0.1', exposed: false },
      { nft, logger: silent, ...(tracked && { conntrack: createConntrack('IPv4') }) },
    )
    await proxy.reset(new Map())
    return {
      proxy: {
        ...proxy,
        async close() {
          nft.close()
          rmSync(directory, { recursive: true, force: true })
        },
      },
      flowsStay: tracked ? false : 'without the program conntrack flows stay where they are',
      unanswered: 'no answer',
      // The kernel's clock cannot be moved.
      passSeconds: seconds => wait(seconds * 1000),
    }
  })
})
