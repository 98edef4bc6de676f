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
import type { Pod } from '../../src/api/generated/types/core-v1.ts'
import { toolsMissing } from '../tools.ts'
import { KUBECTL, type Machine, machineMissing, SETTLE_S, startMachine, TUTTI } from './machine.ts'

const ENDPOINT = '--runtime-endpoint unix:///run/containerd/containerd.sock'
const OTHER = process.env.TUTTI_MACHINE_CONTAINERD

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

const pod = (name: string, restartPolicy: string, command: string, resources: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    restartPolicy,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'main', image: BUSYBOX, command: ['sh', '-c', command], resources }],
  },
})
const STAY = 'trap "exit 0" TERM; while :; do sleep 1; done'
const PODS = [
  pod('limited', 'Always', STAY, {
    requests: { cpu: '100m', memory: '32Mi' },
    limits: { cpu: '500m', memory: '64Mi' },
  }),
  pod('free', 'Always', STAY),
  pod('hungry', 'Never', 'tail /dev/zero', { limits: { memory: '32Mi' } }),
  pod('forks', 'Never', 'for at in $(seq 100); do sleep 5 & done; wait'),
]
const KUBELET = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', podPidsLimit: 60 }

describe('a containerd that is given', { skip: machineMissing ?? toolsMissing ?? busyboxProblem() ?? false }, () => {
  let machine: Machine
  const kubectl = (words: string) => machine.must(`${KUBECTL} ${words}`)
  const answers = () => machine.must(`until ${KUBECTL} get --raw /readyz >/dev/null 2>&1; do sleep 1; done`)
  const ready = () => kubectl(`wait --for=condition=Ready pod limited free --timeout=${SETTLE_S}s`)
  const containers = () =>
    kubectl(`get pods limited free -o jsonpath='{.items[*].status.containerStatuses[*].containerID}'`)
  /** A file of the control group of a pod's container, or of the pod (`..`). */
  const group = (name: string, file: string) =>
    machine.must(
      `id=$(${KUBECTL} get pod ${name} -o jsonpath='{.status.containerStatuses[0].containerID}')
       cat "$(find /sys/fs/cgroup -type d -name "*\${id#containerd://}*")/${file}"`,
    )
  const others = () => machine.must("ctr -n moby task ls | grep -c 'others.*RUNNING'")

  before(async () => {
    machine = await startMachine()
    const file = (name: string, content: string | Buffer) => writeFileSync(join(machine.shared, name), content)
    file('busybox.tar', busyboxArchive())
    file('pause.tar', (await pauseArchive('amd64'))!)
    file('cni.conflist', JSON.stringify(CNI))
    file('kubelet.yaml', JSON.stringify(KUBELET))
    file('pods.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: PODS }))
    if (OTHER) cpSync(OTHER, join(machine.shared, 'containerd'), { recursive: true })
  })
  after(() => machine?.close())

  for (const isOther of OTHER ? [false, true] : [false])
    for (const systemd of [false, true])
      describe(`${isOther ? OTHER : "Debian's"}, groups by ${systemd ? 'systemd' : 'cgroupfs'}`, () => {
        it('runs pods with their limits', async () => {
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
          await answers()
          await machine.must(`until ${KUBECTL} apply -f /shared/pods.json; do sleep 1; done`)
          await ready()
          for (const at of ['', '../'])
            assert.deepEqual(
              [await group('limited', `${at}cpu.max`), await group('limited', `${at}memory.max`)],
              ['50000 100000\n', `${64 * 1024 * 1024}\n`],
            )
          assert.deepEqual([await group('free', 'memory.max'), await group('free', '../pids.max')], ['max\n', '60\n'])
          await machine.must(
            `until [ "$(${KUBECTL} top pod --no-headers 2>/dev/null | grep -Ec 'limited|free')" = 2 ]; do sleep 1; done`,
          )
        })

        it('says what a pod took too much of', async () => {
          await kubectl(`wait --for=jsonpath='{.status.phase}'=Failed pod hungry forks --timeout=${SETTLE_S}s`)
          const { status } = JSON.parse(await kubectl('get pod hungry -o json')) as Pod
          const { reason, exitCode } = status?.containerStatuses?.[0]?.state?.terminated ?? {}
          assert.deepEqual([reason, exitCode], ['OOMKilled', 137])
          assert.match(await kubectl('logs forks'), /can't fork/)
        })

        it('changes limits of a container that runs', async () => {
          const before = await containers()
          const limits = { containers: [{ name: 'main', resources: { limits: { cpu: '600m', memory: '80Mi' } } }] }
          await kubectl(`patch pod limited --subresource resize -p '${JSON.stringify({ spec: limits })}'`)
          await kubectl(
            `wait --for=jsonpath='{.status.containerStatuses[0].resources.limits.memory}'=80Mi pod limited --timeout=${SETTLE_S}s`,
          )
          for (const at of ['', '../'])
            assert.deepEqual(
              [await group('limited', `${at}cpu.max`), await group('limited', `${at}memory.max`)],
              ['60000 100000\n', `${80 * 1024 * 1024}\n`],
            )
          assert.equal(await containers(), before)
        })

        it('may be restarted, and killed, and Tutti too, at no cost to containers', async () => {
          const before = await containers()
          for (const end of ['restart', 'kill -s KILL --kill-whom=main']) {
            await machine.must(`systemctl ${end} containerd`)
            await machine.must(`until ${KUBECTL} exec limited -- true 2>/dev/null; do sleep 1; done`)
          }
          await machine.must('systemctl stop tutti; systemctl restart containerd; systemctl start tutti')
          await answers()
          await ready()
          assert.equal(await containers(), before)
        })

        it('runs them again after a reboot', async () => {
          const uids = () => kubectl(`get pods limited free -o jsonpath='{.items[*].metadata.uid}'`)
          const before = await uids()
          await machine.reboot()
          await answers()
          await ready()
          assert.equal(await uids(), before)
          await machine.must(`ctr -n moby task delete others; ctr -n moby task start -d others`)
        })

        it('is left as it was', async () => {
          // Otherwise delete starts them once more, to end them: minutes on such a machine.
          await kubectl('delete pods --all --now')
          await machine.must(`${TUTTI} service uninstall; ${TUTTI} delete --yes`)
          assert.equal((await others()).trim(), '1')
          const left = await machine.must(
            `ctr -n k8s.io containers ls -q; ls -d /sys/fs/cgroup/tutti* /run/tutti 2>/dev/null || true`,
          )
          assert.equal(left, '')
        })
      })
})
