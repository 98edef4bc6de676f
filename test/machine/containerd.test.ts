/**
 * The containerd that Tutti keeps, on cgroup v2 under either driver of control groups: what pods get in it, that neither
 * its end nor Tutti's costs one, and that nothing is left. `TUTTI_MACHINE_CONTAINERD` names a folder with the programs of
 * another release than Debian's, to be tried in place of it.
 */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { busyboxArchive, busyboxProblem } from '../../src/agent/runtimes/containerd/busybox.fixture.ts'
import { toolsMissing } from '../tools.ts'
import { KUBELET, limitedPods, limitsContract } from './limits.contract.ts'
import { type Machine, machineMissing, OTHER_CONTAINERD, SETTLE_S, startMachine, TUTTI } from './machine.ts'

const configuration = (cgroupDriver: string) => ({
  apiVersion: 'tutti.dev/v1alpha1',
  kind: 'TuttiConfiguration',
  containers: { cgroupDriver },
})

/** What a cluster makes of a machine: processes, control groups, mounts, network namespaces, links and nftables' tables. */
const TRACES = `pgrep -a 'containerd|runc|node|pause' || true
  find /sys/fs/cgroup -name '*tutti*' -o -name '*kubepods*'
  grep -E 'tutti|netns|containerd' /proc/mounts || true
  ip netns list; ls -d /run/tutti* /run/netns/* /root/.tutti 2>/dev/null || true
  ip -o link | cut -d : -f 2; ip route; nft list tables`

describe('the containerd that Tutti keeps', {
  skip: machineMissing ?? toolsMissing ?? busyboxProblem() ?? false,
}, () => {
  let machine: Machine
  let pods: ReturnType<typeof limitedPods>
  let bare: string
  const tutti = (words: string) => machine.must(`PATH=/opt/containerd:$PATH ${TUTTI} ${words}`, 2 * SETTLE_S * 1000)

  before(async () => {
    machine = await startMachine()
    pods = limitedPods(machine)
    writeFileSync(join(machine.shared, 'busybox.tar'), busyboxArchive())
    writeFileSync(join(machine.shared, 'kubelet.yaml'), JSON.stringify(KUBELET))
    if (OTHER_CONTAINERD) {
      cpSync(OTHER_CONTAINERD, join(machine.shared, 'containerd'), { recursive: true })
      await machine.must('cp -r /shared/containerd /opt')
    }
    bare = await machine.must(TRACES)
  })
  after(() => machine?.close())

  for (const driver of ['cgroupfs', 'systemd'])
    describe(`${OTHER_CONTAINERD ?? "Debian's"}, groups by ${driver}`, () => {
      it('is started', async () => {
        writeFileSync(join(machine.shared, 'config.yaml'), JSON.stringify(configuration(driver)))
        await machine.must('mkdir -p /root/.tutti; cp /shared/kubelet.yaml /shared/config.yaml /root/.tutti')
        await tutti('up --runtime containerd')
        await tutti('image import /shared/busybox.tar')
      })

      limitsContract(() => machine)

      it('may be killed, and Tutti too, at no cost to containers', async () => {
        const before = await pods.containers()
        await machine.must('kill -9 $(pgrep -x containerd)')
        await pods.runsCommands()
        await machine.must(`kill -9 $(grep -o '"pid": *[0-9]*' /root/.tutti/instance.json | grep -o '[0-9]*')`)
        await tutti('up')
        await pods.ready()
        await pods.runsCommands()
        assert.equal(await pods.containers(), before)
        await pods.saysOom()
      })

      it('goes with its cluster, which leaves nothing', async () => {
        await tutti('delete --yes')
        assert.equal(await machine.must(TRACES), bare)
      })
    })
})
