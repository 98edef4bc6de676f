/** `tutti service` on a machine that systemd runs: the unit, restarts of it, the machine's reboot and its end. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { BUSYBOX, busyboxArchive, busyboxProblem } from '../../src/agent/runtimes/containerd/busybox.fixture.ts'
import { toolsMissing } from '../tools.ts'
import { KUBECTL, type Machine, machineMissing, SETTLE_S, startMachine, TUTTI } from './machine.ts'

/** Says in a file of the machine when it begins, and when it is asked to end. */
const pod = (name: string, image: string, runtimeClassName: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    runtimeClassName,
    terminationGracePeriodSeconds: 10,
    volumes: [{ name: 'witness', hostPath: { path: '/var/lib/witness', type: 'DirectoryOrCreate' } }],
    containers: [
      {
        name: 'main',
        image,
        command: [
          'sh',
          '-c',
          `echo began >>/witness/${name}; trap 'echo ended >>/witness/${name}; exit 0' TERM; while :; do sleep 1; done`,
        ],
        volumeMounts: [{ name: 'witness', mountPath: '/witness' }],
      },
    ],
  },
})

describe('tutti service', { skip: machineMissing ?? toolsMissing ?? busyboxProblem() ?? false }, () => {
  let machine: Machine
  const kubectl = (words: string) => machine.must(`${KUBECTL} ${words}`)
  const ids = () => kubectl(`get pods -o jsonpath='{.items[*].status.containerStatuses[*].containerID}'`)
  /** What the pods have said is this, within the time that such a machine takes. */
  const witnessed = (expected: string) =>
    machine.must(
      `cd /var/lib/witness; for at in $(seq ${SETTLE_S}); do [ "$(cat container; echo -; cat process)" = "$(printf '${expected}\\n-\\n${expected}')" ] && exit; sleep 1; done
       tail container process; exit 1`,
      2 * SETTLE_S * 1000,
    )
  /** The unit's program answers, and the pods are ready. */
  const settled = () =>
    machine.must(
      `until ${KUBECTL} get --raw /readyz >/dev/null 2>&1; do sleep 1; done
       ${KUBECTL} wait --for=condition=Ready node --all --timeout=${SETTLE_S}s
       ${KUBECTL} wait --for=condition=Ready pod --all --timeout=${SETTLE_S}s`,
      2 * SETTLE_S * 1000,
    )
  const unit = (property: string) => machine.must(`systemctl show --value -p ${property} tutti`)

  before(async () => {
    machine = await startMachine()
  })
  after(() => machine?.close())

  it('install starts a cluster that runs processes and containers', async () => {
    const said = await machine.must(`${TUTTI} service install`)
    assert.match(said, /is written, enabled and started/)
    await machine.must(`until ${KUBECTL} get --raw /readyz >/dev/null 2>&1; do sleep 1; done`)
    writeFileSync(join(machine.shared, 'busybox.tar'), busyboxArchive())
    await machine.must(`${TUTTI} image import /shared/busybox.tar`)
    const items = [pod('process', 'host', 'process'), pod('container', BUSYBOX, 'containers')]
    writeFileSync(join(machine.shared, 'pods.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    await kubectl('create configmap kept --from-literal=word=remembered')
    await kubectl('apply -f /shared/pods.json')
    await settled()
    await witnessed('began')
  })

  it('workloads are outside of the unit, and go on while it is restarted and while it is stopped', async () => {
    const before = await ids()
    const groups = await machine.must(
      'cat /proc/$(pgrep -o -f "echo began")/cgroup; cat /proc/$(pgrep -n -f "echo began")/cgroup',
    )
    assert.doesNotMatch(groups, /system\.slice/)
    await machine.must('systemctl restart tutti')
    await settled()
    await machine.must('systemctl stop tutti')
    assert.equal((await machine.must('pgrep -c -f "echo began"')).trim(), '2')
    await machine.must('systemctl start tutti')
    await settled()
    assert.equal(await ids(), before)
    await witnessed('began')
  })

  it('a program that is killed is started again', async () => {
    const pid = (await unit('MainPID')).trim()
    await machine.must(
      `kill -9 ${pid}; until [ "$(systemctl is-active tutti)" = active ] && [ "$(systemctl show --value -p MainPID tutti)" != ${pid} ]; do sleep 1; done`,
    )
    await settled()
    await witnessed('began')
  })

  it('the same pods run after a reboot, and were asked to end before it', async () => {
    const uids = () => kubectl(`get pods -o jsonpath='{.items[*].metadata.uid}'`)
    const before = await uids()
    await machine.reboot()
    await settled()
    assert.equal(await uids(), before)
    await witnessed('began\\nended\\nbegan')
    assert.equal(await kubectl(`get configmap kept -o jsonpath='{.data.word}'`), 'remembered')
  })

  it('the same pods run when the machine was off', async () => {
    await machine.powerOff()
    await machine.start()
    await settled()
    await witnessed('began\\nended\\nbegan\\nended\\nbegan')
  })

  it('the journal tells what the program said', async () => {
    assert.match(await machine.must('journalctl -u tutti --no-pager'), /is up: https:\/\/127\.0\.0\.1/)
  })

  it('uninstall leaves workloads, and delete leaves nothing', async () => {
    assert.match(await machine.must(`${TUTTI} service uninstall`), /is gone/)
    assert.equal((await machine.run('systemctl cat tutti')).code, 1)
    assert.equal((await machine.must('pgrep -c -f "echo began"')).trim(), '2')
    await machine.must(`${TUTTI} delete --yes`)
    const left = await machine.must(
      `pgrep -f 'echo began|containerd|tutti' || true; nft list tables
       ls -d /sys/fs/cgroup/tutti* /run/tutti* /root/.tutti 2>/dev/null || true
       grep -E '/root/.tutti|/run/tutti' /proc/mounts || true`,
    )
    assert.equal(left, '')
  })
})
