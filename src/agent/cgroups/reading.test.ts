import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { groupReader } from './reading.ts'

/** Files of groups as the kernel shows them. */
function mounted(t: TestContext, files: Readonly<Record<string, string>>): string {
  const mount = mkdtempSync(join(tmpdir(), 'tutti-groups-'))
  t.after(() => rmSync(mount, { recursive: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(mount, name)), { recursive: true })
    writeFileSync(join(mount, name), content)
  }
  return mount
}

const USED = {
  ...{ cpu: 2_500_000, memory: 900, workingSet: 600, processes: 3, memoryRss: 500, memoryCache: 400, memorySwap: 70 },
  ...{ periods: 50, throttledPeriods: 20, throttledTime: 7000 },
}

test('groupReader reads the usage of a group, in nanoseconds and bytes', t => {
  const v2 = mounted(t, {
    'cgroup.controllers': 'cpu memory pids',
    'node/pod/memory.current': '900\n',
    'node/pod/memory.swap.current': '70\n',
    'node/pod/memory.stat': 'anon 500\nfile 400\nkernel 9\ninactive_anon 1\ninactive_file 300\n',
    'node/pod/cpu.stat': 'usage_usec 2500\nuser_usec 1\nnr_periods 50\nnr_throttled 20\nthrottled_usec 7\n',
    'node/pod/pids.current': '3\n',
  })
  assert.deepEqual(groupReader('node', v2).usage('pod'), USED)
  const v1 = mounted(t, {
    'memory/node/pod/memory.usage_in_bytes': '900\n',
    'memory/node/pod/memory.stat':
      'cache 1\nrss 2\ntotal_cache 400\ntotal_rss 500\ntotal_swap 70\ntotal_inactive_file 300\n',
    'cpuacct/node/pod/cpuacct.usage': '2500000\n',
    'cpu/node/pod/cpu.stat': 'nr_periods 50\nnr_throttled 20\nthrottled_time 7000\n',
    'pids/node/pod/pids.current': '3\n',
  })
  assert.deepEqual(groupReader('node', v1).usage('pod'), USED)
  assert.equal(groupReader('node', v1).usage('gone'), undefined)
})
