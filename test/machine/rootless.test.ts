/** `tutti service` of an ordinary user, below the user's own service manager: limits, restarts, and the machine's end. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { BUSYBOX, busyboxArchive, busyboxProblem } from '../../src/agent/runtimes/containerd/busybox.fixture.ts'
import { toolsMissing } from '../tools.ts'
import { KUBECTL, type Machine, machineMissing, SETTLE_S, startMachine, TUTTI } from './machine.ts'

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'witness' },
  spec: {
    terminationGracePeriodSeconds: 10,
    volumes: [{ name: 'witness', hostPath: { path: '/home/ordinary/witness' } }],
    containers: [
      {
        name: 'main',
        image: BUSYBOX,
        command: [
          'sh',
          '-c',
          'echo began >>/witness/said; trap "echo ended >>/witness/said; exit 0" TERM; while :; do sleep 1; done',
        ],
        resources: { limits: { cpu: '200m', memory: '64Mi' } },
        volumeMounts: [{ name: 'witness', mountPath: '/witness' }],
      },
    ],
  },
}

describe('tutti service of a user', { skip: machineMissing ?? toolsMissing ?? busyboxProblem() ?? false }, () => {
  let machine: Machine
  /** As the user, in a session that finds the service manager. */
  const user = (script: string) => {
    writeFileSync(join(machine.shared, 'user.sh'), `export XDG_RUNTIME_DIR=/run/user/$(id -u)\n${script}`)
    return machine.must('cp /shared/user.sh /home/ordinary; su - ordinary -c "bash -e user.sh"', 2 * SETTLE_S * 1000)
  }
  const settled = () =>
    user(`until ${KUBECTL} get --raw /readyz >/dev/null 2>&1; do sleep 1; done
      ${KUBECTL} wait --for=condition=Ready pod witness --timeout=${SETTLE_S}s`)
  const said = () => machine.must('cat /home/ordinary/witness/said')

  before(async () => {
    machine = await startMachine()
    // As strict as machines are with what users write: nothing of it may be executed.
    const home = '/home /home none bind,nosuid,nodev,noexec 0 0'
    await machine.must(`echo '${home}' >>/etc/fstab; systemctl daemon-reload; mount /home`)
    await machine.must('loginctl enable-linger ordinary; until [ -S /run/user/1000/bus ]; do sleep 1; done')
  })
  after(() => machine?.close())

  it('install starts a cluster that limits what it runs', async () => {
    const answer = await user(`mkdir -m 777 witness; ${TUTTI} service install`)
    assert.match(answer, /systemctl --user status tutti\n$/)
    await user(`until ${KUBECTL} get --raw /readyz >/dev/null 2>&1; do sleep 1; done`)
    writeFileSync(join(machine.shared, 'busybox.tar'), busyboxArchive())
    writeFileSync(join(machine.shared, 'pod.json'), JSON.stringify(POD))
    await machine.must('cp /shared/busybox.tar /shared/pod.json /home/ordinary; chmod a+r /home/ordinary/*')
    await user(`${TUTTI} image import busybox.tar; ${KUBECTL} apply -f pod.json`)
    await settled()
    const group = await machine.must('cat /proc/$(pgrep -n -f "echo began")/cgroup')
    assert.match(group, /user@1000\.service\/tutti\//)
    const folder = `/sys/fs/cgroup${group.trim().slice('0::'.length)}`
    assert.equal(await machine.must(`cat ${folder}/memory.max ${folder}/cpu.max`), '67108864\n20000 100000\n')
  })

  it('workloads go on while it is restarted', async () => {
    await user('systemctl --user restart tutti')
    await settled()
    assert.equal(await said(), 'began\n')
  })

  it('workloads are asked to end before a reboot, and run again after it', async () => {
    await machine.reboot()
    await settled()
    assert.equal(await said(), 'began\nended\nbegan\n')
  })

  it('uninstall takes the unit away, and delete the rest', async () => {
    assert.match(await user(`${TUTTI} service uninstall`), /is gone/)
    await user(`${TUTTI} delete --yes`)
    assert.equal((await machine.run('pgrep -f "echo began"')).code, 1)
  })
})
