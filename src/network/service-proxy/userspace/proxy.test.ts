import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silent } from '../../../lib/log.ts'
import { virtualClock } from '../../../lib/virtual-clock.ts'
import { proxyContract } from '../proxy.contract.ts'
import { createUserspaceProxy } from './proxy.ts'

proxyContract('createUserspaceProxy', async () => {
  const clock = virtualClock()
  const directory = mkdtempSync(join(tmpdir(), 'tutti-proxy-'))
  const proxy = createUserspaceProxy({ file: join(directory, 'ports.json') }, { clock, logger: silent })
  return {
    proxy: {
      ...proxy,
      async close() {
        await proxy.close()
        rmSync(directory, { recursive: true, force: true })
      },
    },
    flowsStay: false,
    unanswered: 'ECONNREFUSED',
    passSeconds: seconds => clock.advance(seconds * 1000),
  }
})
