/**
 * A containerd of the machine's owner, run by systemd, under either driver of control groups: what pods get in it, and
 * that neither its restarts nor Tutti's cost one. `TUTTI_MACHINE_CONTAINERD` names a folder with the programs of another
 * release than Debian's to try as well.
 */
import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { BUSYBOX, busyboxArchive, busyboxProblem } from '../../src/agent/runtimes/containerd/busybox.fixture.ts'
import { PAUSE_IMAGE, pauseArchive } from '../../src/agent/runtimes/containerd/pause-image.ts'
import { toolsMissing } from '../tools.ts'
import { KUBELET, limitedPods, limitsContract } from './limits.contract.ts'
import { type Machine, machineMissing, OTHER_CONTAINERD, startMachine, TUTTI } from './machine.ts'

const ENDPOINT = '--runtime-endpoint unix:///run/containerd/containerd.sock'

const CNI = {
  cniVersion: '1.0.0',
  name: 'owners',
  plugins: [
    {
      type: 'bridge',
      bridge: 'owners0',
      isGateway: true,
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.77.0.0/16' }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
  ],
}

/** containerd's configuration, as its owner writes it. */
function configuration(isTwo: boolean, systemd: boolean): string {
  const plugin = isTwo ? 'io.containerd.cri.v1.runtime' : 'io.containerd.grpc.v1.cri'
  const at = (...path: string[]) => `[${['plugins', `"${plugin}"`, ...path].join('.')}]`
  return [
    `version = ${isTwo ? 3 : 2}`,
    isTwo ? '[plugins."io.containerd.cri.v1.images".pinned_images]' : at(),
    `${isTwo ? 'sandbox' : 'sandbox_image'} = "${PAUSE_IMAGE}"`,
    at('cni'),
    isTwo ? 'bin_dirs = ["/usr/lib/cni"]' : 'bin_dir = "/usr/lib/cni"',
    'conf_dir = "/etc/cni/net.d"',
    at('containerd', 'runtimes', 'runc'),
    'runtime_type = "io.containerd.runc.v2"',
    at('containerd', 'runtimes', 'runc', 'options'),
    `SystemdCgroup = ${systemd}`,
    '',
  ].join('\n')
}

describe('a containerd that is given', { skip: machineMissing ?? toolsMissing ?? busyboxProblem() ?? false }, () => {
  let machine: Machine
  let pods: ReturnType<typeof limitedPods>
  const others = () => machine.must("ctr -n moby task ls | grep -c 'others.*RUNNING'")

  before(async () => {
    machine = await startMachine()
    pods = limitedPods(machine)
    const file = (name: string, content: string | Buffer) => writeFileSync(join(machine.shared, name), content)
    file('busybox.tar', busyboxArchive())
    file('pause.tar', (await pauseArchive('amd64'))!)
    file('cni.conflist', JSON.stringify(CNI))
    file('kubelet.yaml', JSON.stringify(KUBELET))
    if (OTHER_CONTAINERD) cpSync(OTHER_CONTAINERD, join(machine.shared, 'containerd'), { recursive: true })
  })
  after(() => machine?.close())

  for (const isOther of OTHER_CONTAINERD ? [false, true] : [false])
    for (const systemd of [false, true])
      describe(`${isOther ? OTHER_CONTAINERD : "Debian's"}, groups by ${systemd ? 'systemd' : 'cgroupfs'}`, () => {
        it('is taken as it is set up', async () => {
          const folder = isOther ? '/opt/containerd' : '/usr/bin'
          if (isOther) await machine.must('cp -r /shared/containerd /opt')
          const isTwo = / v?2\./.test(await machine.must(`${folder}/containerd --version`))
          const unit = `[Service]\nExecStart=\nExecStart=${folder}/containerd\nEnvironment=PATH=${folder}:/usr/sbin:/usr/bin:/sbin:/bin\n`
          writeFileSync(join(machine.shared, 'config.toml'), configuration(isTwo, systemd))
          writeFileSync(join(machine.shared, 'unit.conf'), unit)
          await machine.must(`
            mkdir -p /etc/containerd /etc/cni/net.d /etc/systemd/system/containerd.service.d /root/.tutti
            cp /shared/config.toml /etc/containerd/
            cp /shared/cni.conflist /etc/cni/net.d/10-owners.conflist
            cp /shared/unit.conf /etc/systemd/system/containerd.service.d/
            cp /shared/kubelet.yaml /root/.tutti/
            systemctl daemon-reload; systemctl enable --now containerd; systemctl restart containerd
            for image in pause busybox; do ctr -n k8s.io images import /shared/$image.tar; done
            ctr -n moby images import /shared/busybox.tar
            ctr -n moby task ls | grep others || ctr -n moby run -d ${BUSYBOX} others sleep 100000`)
          await machine.must(`${TUTTI} service install -- ${ENDPOINT}`)
          await pods.answers()
        })

        limitsContract(() => machine)

        it('may be restarted, and killed, and Tutti too, at no cost to containers', async () => {
          const before = await pods.containers()
          for (const end of ['restart', 'kill -s KILL --kill-whom=main']) {
            await machine.must(`systemctl ${end} containerd`)
            await pods.runsCommands()
          }
          await machine.must('systemctl stop tutti; systemctl restart containerd; systemctl start tutti')
          await pods.answers()
          await pods.ready()
          await pods.runsCommands()
          assert.equal(await pods.containers(), before)
          await pods.saysOom()
        })

        it('runs them again after a reboot', async () => {
          const uids = () => pods.kubectl(`get pods limited free -o jsonpath='{.items[*].metadata.uid}'`)
          const before = await uids()
          await machine.reboot()
          await pods.answers()
          await pods.ready()
          assert.equal(await uids(), before)
          await machine.must(`ctr -n moby task delete others; ctr -n moby task start -d others`)
        })

        it('is left as it was', async () => {
          // Otherwise delete starts them once more, to end them: minutes on such a machine.
          await pods.kubectl('delete pods --all --now')
          await machine.must(`${TUTTI} service uninstall; ${TUTTI} delete --yes`)
          assert.equal((await others()).trim(), '1')
          const left = await machine.must(
            `ctr -n k8s.io containers ls -q; ls -d /sys/fs/cgroup/tutti* /run/tutti 2>/dev/null || true`,
          )
          assert.equal(left, '')
        })
      })
})
