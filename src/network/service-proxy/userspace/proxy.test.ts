import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silent } from '../../../lib/log.ts'
import { virtualClock } from '../../../lib/virtual-clock.ts'
import { proxyContract } from '../proxy.contract.ts'
import { createUserspaceProxy } from './proxy.ts'

proxyContract('createUserspaceProxy', async () => {
  const clock = virtualClock()
  const file = join(mkdtempSync(join(tmpdir(), 'tutti-proxy-')), 'ports.json')
  return {
    proxy: createUserspaceProxy({ file }, { clock, logger: silent }),
    flowsStay: false,
    unanswered: 'ECONNREFUSED',
    passSeconds: seconds => clock.advance(seconds * 1000),
  }
})
