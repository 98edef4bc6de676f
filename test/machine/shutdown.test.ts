/** A machine of systemd that shuts down with periods for its pods: held by a lock of logind until they have ended. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Pod } from '../../src/api/generated/types/core-v1.ts'
import { type Machine, machineMissing, startMachine, TUTTI } from './machine.ts'

const CONFIGURATION = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  shutdownGracePeriod: '40s',
  shutdownGracePeriodCriticalPods: '15s',
}

/** Writes the time of its signal to a file of the machine, and ends three seconds later. */
const pod = (name: string, namespace: string, more: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: 'main',
        image: 'host',
        command: [
          'sh',
          '-c',
          `trap 'date +%s%N >/var/lib/witness/${name}; sleep 3; exit 0' TERM; while :; do sleep 0.2; done`,
        ],
      },
    ],
    ...more,
  },
})

describe('a node whose machine is shut down', { skip: machineMissing ?? false }, () => {
  let machine: Machine
  const ready = () => machine.must(`until ${TUTTI} get nodes 2>/dev/null | grep -q ' Ready'; do sleep 1; done`)
  before(async () => {
    machine = await startMachine()
    writeFileSync(join(machine.shared, 'kubelet.yaml'), JSON.stringify(CONFIGURATION))
    await machine.must('mkdir -p /root/.tutti /var/lib/witness; cp /shared/kubelet.yaml /root/.tutti')
    await machine.must(`${TUTTI} service install -- --runtime process`)
    await ready()
  })
  after(() => machine?.close())

  it('holds a lock, for as long as its pods may have', async () => {
    assert.match(await machine.must('systemd-inhibit --list'), /^tutti +0 .* shutdown .* delay$/m)
    const delay = 'org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager InhibitDelayMaxUSec'
    assert.equal(await machine.must(`busctl get-property ${delay}`), 't 40000000\n')
  })

  it('ends pods by priority before anything else is stopped, and they have failed', async () => {
    const items = [
      pod('plain', 'default', {}),
      pod('critical', 'kube-system', { priorityClassName: 'system-node-critical' }),
    ]
    writeFileSync(join(machine.shared, 'pods.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    await machine.must(`${TUTTI} apply -f /shared/pods.json`)
    await machine.must(`until [ "$(${TUTTI} get pods -A | grep -c ' Running ')" = 2 ]; do sleep 1; done`)
    await machine.reboot()
    await ready()
    const [plain = 0, critical = 0] = (await machine.must('cd /var/lib/witness; cat plain critical'))
      .trim()
      .split('\n')
      .map(each => Number(each) / 1e6)
    assert.ok(critical - plain >= 3000, `${critical - plain} ms`)
    for (const [name, namespace] of [
      ['plain', 'default'],
      ['critical', 'kube-system'],
    ]) {
      const { status } = JSON.parse(await machine.must(`${TUTTI} get pod ${name} -n ${namespace} -o json`)) as Pod
      assert.deepEqual([status?.phase, status?.reason], ['Failed', 'Terminated'])
      assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 0)
    }
  })

  it('leaves the lock and what it told logind when it goes', async () => {
    await machine.must(`${TUTTI} down && ${TUTTI} service uninstall`)
    assert.equal(await machine.must('ls /etc/systemd/logind.conf.d 2>/dev/null || true'), '')
    assert.match(await machine.must('systemd-inhibit --list'), /No inhibitors/)
  })
})
