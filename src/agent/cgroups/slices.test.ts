import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Machine } from '../node/machine.ts'
import { openCgroups } from './cgroups.ts'
import { enforceAllocatable } from './node-allocatable.ts'
import { podGroup } from './pod-group.ts'
import { openSlices } from './slices.ts'

/** A systemd that notes what it is told; what `fails` matches is refused with its answer. */
function scripted(fails: (line: string) => string | undefined = () => undefined, mount?: string) {
  const told: string[] = []
  const slices = openSlices(
    'tutti/node-1.example',
    async (program, args) => {
      const line = args.slice(5).join(' ')
      assert.equal(program, 'busctl')
      told.push(line)
      const answer = fails(line)
      if (answer) throw new Error(answer)
    },
    mount,
  )
  return { slices, told }
}
const BURSTABLE = 'tutti-node_1.example-kubepods-burstable'

test('openSlices names a slice by its path', () => {
  const { slices } = scripted()
  assert.equal(slices.name(podGroup('Guaranteed', 'a-b')), 'tutti-node_1.example-kubepods-poda_b.slice')
  assert.equal(slices.name(podGroup('Burstable', 'a-b')), `${BURSTABLE}-poda_b.slice`)
})

test('openSlices makes what is above a pod once, and gives a class the weight of its pods', async () => {
  const { slices, told } = scripted()
  await slices.create(podGroup('Burstable', 'a'), { cpuShares: 1024, memoryLimit: 4096, pidsLimit: 10 })
  await slices.create(podGroup('Burstable', 'b'), { cpuQuota: 50_000, cpuPeriod: 100_000 })
  const made = told.filter(line => line.startsWith('StartTransientUnit')).map(line => line.split(' ')[2])
  const above = ['tutti-node_1.example', 'tutti-node_1.example-kubepods', BURSTABLE].map(name => `${name}.slice`)
  assert.deepEqual(made, [...above, `${BURSTABLE}-poda.slice`, `${BURSTABLE}-podb.slice`])
  assert.match(told[3]!, /CPUWeight t 39 MemoryMax t 4096 MemorySwapMax t 0 TasksMax t 10 0$/)
  assert.match(told[5]!, /CPUQuotaPerSecUSec t 500000 0$/)
  assert.ok(told.at(-1)!.endsWith(`SetUnitProperties sba(sv) ${BURSTABLE}.slice true 1 CPUWeight t 40`))
})

test('enforceAllocatable limits the slice of all pods, which those of classes are made in later', async () => {
  const { slices, told } = scripted()
  const machine = { capacity: { memory: '8Gi' }, allocatable: { memory: '6Gi' }, info: {} as Machine['info'] }
  await enforceAllocatable(`tutti-test-sliced-${process.pid}`, machine, slices)
  assert.match(
    told.at(-1)!,
    new RegExp(`tutti-node_1.example-kubepods.slice .* MemoryMax t ${6 * 1024 ** 3} MemorySwapMax t 0 0$`),
  )
  openCgroups(`tutti-test-sliced-${process.pid}`)?.remove('')
})

test('openSlices changes a slice that stands already, and takes limits away', async () => {
  const stands = (line: string) =>
    line.startsWith('StartTransientUnit')
      ? 'Call failed: Unit x.slice was already loaded or has a fragment file.'
      : undefined
  const { slices, told } = scripted(stands)
  await slices.create(podGroup('Guaranteed', 'a'), { memoryLimit: 4096 })
  assert.match(told.at(-1)!, /^SetUnitProperties .* true 2 MemoryMax t 4096 MemorySwapMax t 0$/)
  await slices.update(podGroup('Guaranteed', 'a'), { memoryLimit: -1, cpuQuota: -1 })
  const none = String(2n ** 64n - 1n)
  assert.match(told.at(-1)!, new RegExp(`CPUQuotaPerSecUSec t ${none} MemoryMax t ${none} MemorySwapMax t ${none}$`))
})

test('openSlices ends a pod that was never made, and says what else systemd refuses', async () => {
  const gone = scripted(() => 'Call failed: Unit x.slice not loaded.')
  await gone.slices.remove(podGroup('Guaranteed', 'a'))
  const refused = scripted(() => 'Call failed: Access denied')
  await assert.rejects(refused.slices.remove(podGroup('Guaranteed', 'a')), /Access denied/)
  await assert.rejects(refused.slices.create(podGroup('Guaranteed', 'a'), {}), /Access denied/)
})

test('openSlices ends the slice that nodes of a machine share with the last of them', async t => {
  const mount = mkdtempSync(join(tmpdir(), 'tutti-slices-'))
  t.after(() => rmSync(mount, { recursive: true }))
  writeFileSync(join(mount, 'cgroup.controllers'), '')
  const own = 'tutti-node_1.example.slice'
  for (const name of [own, 'tutti-other.slice']) mkdirSync(join(mount, 'tutti.slice', name), { recursive: true })
  const { slices, told } = scripted(undefined, mount)
  await slices.remove('')
  assert.deepEqual(told, [`StopUnit ss ${own} replace`])
  rmSync(join(mount, 'tutti.slice/tutti-other.slice'), { recursive: true })
  await slices.remove('')
  assert.equal(told.at(-1), 'StopUnit ss tutti.slice replace')
})
