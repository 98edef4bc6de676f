import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../../lib/clock.ts'
import { silent } from '../../../lib/log.ts'
import { plainSandbox } from '../configs.fixture.ts'
import { type ContractHarness, runtimeContract } from '../runtime.contract.ts'
import { shellCommands } from '../shell-commands.fixture.ts'
import { openProcessDriver } from './driver.ts'

const make = (namespaces: boolean) => async (): Promise<ContractHarness> => {
  const root = mkdtempSync(join(tmpdir(), 'tutti-process-'))
  const podsDirectory = join(root, 'pods')
  const cgroupRoot = `tutti-test-${process.pid}-${namespaces ? 'ns' : 'portable'}`
  const open = () => openProcessDriver({ podsDirectory, cgroupRoot, clock: realClock, logger: silent, namespaces })
  let driver = await open()
  return {
    driver,
    image: 'host',
    badImage: 'nginx:1.27',
    sandbox(uid) {
      const directory = join(podsDirectory, uid)
      mkdirSync(directory, { recursive: true })
      return plainSandbox(uid, directory)
    },
    wait: ms => new Promise(resolve => setTimeout(resolve, ms)),
    commands: shellCommands,
    async reopen() {
      await driver.close()
      driver = await open()
      return driver
    },
    async close() {
      for (const { id } of await driver.listSandboxes()) await driver.removeSandbox(id)
      await driver.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

runtimeContract('process driver', make(true))
runtimeContract('process driver without namespaces', make(false))
