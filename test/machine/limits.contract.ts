/**
 * What pods get on cgroup v2, whoever keeps the containerd that they run in: limits, reasons of their ends, and changes
 * while they run.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { BUSYBOX } from '../../src/agent/runtimes/containerd/busybox.fixture.ts'
import type { Pod } from '../../src/api/generated/types/core-v1.ts'
import { KUBECTL, type Machine, SETTLE_S } from './machine.ts'

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
/** To be DATA_DIR/kubelet.yaml. */
export const KUBELET = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', podPidsLimit: 60 }

/** The pods `limited` and `free`, as they are asked about on a machine. */
export function limitedPods(machine: Machine) {
  const kubectl = (words: string) => machine.must(`${KUBECTL} ${words}`)
  return {
    kubectl,
    answers: () => machine.must(`until ${KUBECTL} get --raw /readyz >/dev/null 2>&1; do sleep 1; done`),
    ready: () => kubectl(`wait --for=condition=Ready pod limited free --timeout=${SETTLE_S}s`),
    /** Ids of their containers. */
    containers: () =>
      kubectl(`get pods limited free -o jsonpath='{.items[*].status.containerStatuses[*].containerID}'`),
    /** Until a command runs in `limited`. */
    runsCommands: () => machine.must(`until ${KUBECTL} exec limited -- true 2>/dev/null; do sleep 1; done`),
    /** The kernel has ended `hungry` for want of memory, and that is said. */
    async saysOom() {
      const { status } = JSON.parse(await kubectl('get pod hungry -o json')) as Pod
      const { reason, exitCode } = status?.containerStatuses?.[0]?.state?.terminated ?? {}
      assert.deepEqual([reason, exitCode], ['OOMKilled', 137])
    },
  }
}

/** Makes the pods on a cluster that answers and has their image, and looks at their limits. */
export function limitsContract(machineOf: () => Machine): void {
  /** Files of the control groups of a pod's container and of the pod. */
  const groups = async (name: string, files: readonly string[]) => {
    const found = await machineOf().must(
      `id=$(${KUBECTL} get pod ${name} -o jsonpath='{.status.containerStatuses[0].containerID}')
       cd "$(find /sys/fs/cgroup -type d -name "*\${id#containerd://}*")"
       cat ${files.join(' ')}`,
    )
    return found.trim().split('\n')
  }
  const LIMITS = ['cpu.max', 'memory.max', '../cpu.max', '../memory.max']

  it('runs pods with their limits', async () => {
    const machine = machineOf()
    const { ready } = limitedPods(machine)
    writeFileSync(join(machine.shared, 'pods.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: PODS }))
    await machine.must(`until ${KUBECTL} apply -f /shared/pods.json; do sleep 1; done`)
    await ready()
    const limits = ['50000 100000', String(64 * 1024 * 1024)]
    assert.deepEqual(await groups('limited', LIMITS), [...limits, ...limits])
    assert.deepEqual(await groups('free', ['memory.max', '../pids.max']), ['max', '60'])
    await machine.must(
      `until [ "$(${KUBECTL} top pod --no-headers 2>/dev/null | grep -Ec 'limited|free')" = 2 ]; do sleep 1; done`,
    )
  })

  it('says what a pod took too much of', async () => {
    const { kubectl, saysOom } = limitedPods(machineOf())
    await kubectl(`wait --for=jsonpath='{.status.phase}'=Failed pod hungry forks --timeout=${SETTLE_S}s`)
    await saysOom()
    assert.match(await kubectl('logs forks'), /can't fork/)
  })

  it('changes limits of a container that runs', async () => {
    const { kubectl, containers } = limitedPods(machineOf())
    const before = await containers()
    const spec = { containers: [{ name: 'main', resources: { limits: { cpu: '600m', memory: '80Mi' } } }] }
    await kubectl(`patch pod limited --subresource resize -p '${JSON.stringify({ spec })}'`)
    await kubectl(
      `wait --for=jsonpath='{.status.containerStatuses[0].resources.limits.memory}'=80Mi pod limited --timeout=${SETTLE_S}s`,
    )
    const limits = ['60000 100000', String(80 * 1024 * 1024)]
    assert.deepEqual(await groups('limited', LIMITS), [...limits, ...limits])
    assert.equal(await containers(), before)
  })
}
