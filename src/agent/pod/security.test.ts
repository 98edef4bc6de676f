import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod, PodSpec, SecurityContext } from '../../api/generated/types/core-v1.ts'
import type { FoundImage } from '../runtimes/runtime.ts'
import { ruleProblem } from './node-rules.ts'
import { containerSecurity, sandboxSecurity, sysctlName } from './security.ts'

const container = (securityContext?: SecurityContext): Container => ({
  name: 'c',
  ...(securityContext && { securityContext }),
})
const pod = (spec: Partial<PodSpec>): Pod => ({
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec: { containers: [], ...spec },
})
const image = (user?: FoundImage['user']): FoundImage => ({
  imageId: '',
  ...(user === undefined ? {} : { user }),
})
const of = (spec: Partial<PodSpec>, own?: SecurityContext, user?: FoundImage['user']) =>
  containerSecurity(pod(spec), container(own), image(user), '/profiles')

test("containerSecurity takes the container's word before the pod's", () => {
  const spec: Partial<PodSpec> = {
    securityContext: {
      runAsUser: 1,
      runAsGroup: 2,
      fsGroup: 3,
      supplementalGroups: [3, 4],
      supplementalGroupsPolicy: 'Strict',
      seccompProfile: { type: 'RuntimeDefault' },
      appArmorProfile: { type: 'Unconfined' },
      seLinuxOptions: { level: 's0' },
    },
  }
  assert.deepEqual(of(spec), {
    runAsUser: 1,
    runAsGroup: 2,
    supplementalGroups: [3, 4],
    strictGroups: true,
    privileged: false,
    readOnlyRootFilesystem: false,
    seccomp: { type: 'RuntimeDefault' },
    appArmor: { type: 'Unconfined' },
    seLinux: { level: 's0' },
  })
  const own: SecurityContext = {
    runAsUser: 7,
    privileged: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    procMount: 'Unmasked',
    seccompProfile: { type: 'Localhost', localhostProfile: 'audit/own.json' },
    appArmorProfile: { type: 'Localhost', localhostProfile: 'own' },
    seLinuxOptions: { type: 't' },
  }
  assert.deepEqual(of(spec, own), {
    runAsUser: 7,
    runAsGroup: 2,
    supplementalGroups: [3, 4],
    strictGroups: true,
    privileged: true,
    readOnlyRootFilesystem: true,
    noNewPrivileges: true,
    capabilities: { drop: ['ALL'] },
    procMount: 'Unmasked',
    seccomp: { type: 'Localhost', localhost: '/profiles/audit/own.json' },
    appArmor: { type: 'Localhost', localhost: 'own' },
    seLinux: { type: 't' },
  })
  assert.throws(() => of({}, { seccompProfile: { type: 'Localhost' } }), /localhostProfile must be set/)
})

/** runAsNonRoot: what the pod says, what the image says, and what is said to that. */
const roots: [runAsUser: number | undefined, user: FoundImage['user'], problem: RegExp | undefined][] = [
  [0, 5, /^container's runAsUser breaks non-root policy \(pod: "p_n\(u\)", container: c\)$/],
  [5, 0, undefined],
  [undefined, 5, undefined],
  [undefined, 0, /^container has runAsNonRoot and image will run as root \(pod: "p_n\(u\)", container: c\)$/],
  [undefined, undefined, /image will run as root/],
  [undefined, 'web', /image has non-numeric user \(web\), cannot verify user is non-root \(pod: /],
]

for (const [runAsUser, user, problem] of roots) {
  test(`containerSecurity: not as root, with user ${runAsUser} and that of the image ${user}`, () => {
    const make = () =>
      of({ securityContext: { runAsNonRoot: true } }, runAsUser === undefined ? undefined : { runAsUser }, user)
    if (problem) assert.throws(make, error => problem.test((error as Error).message))
    else make()
  })
}

test('sandboxSecurity has what is of the pod, and whether a container is privileged', () => {
  assert.deepEqual(sandboxSecurity(pod({})), { seccomp: { type: 'RuntimeDefault' } })
  const securityContext = {
    runAsUser: 1,
    fsGroup: 2,
    sysctls: [{ name: 'net/ipv4/ip_local_port_range', value: '1 2' }],
  }
  const initContainers = [container({ privileged: true })]
  assert.deepEqual(sandboxSecurity(pod({ securityContext, initContainers })), {
    sysctls: { 'net.ipv4.ip_local_port_range': '1 2' },
    runAsUser: 1,
    supplementalGroups: [2],
    privileged: true,
    seccomp: { type: 'RuntimeDefault' },
  })
})

test('sysctlName reads both ways to write a name', () => {
  assert.equal(sysctlName('net.ipv4.conf.eth0/1.forwarding'), 'net.ipv4.conf.eth0/1.forwarding')
  assert.equal(sysctlName('net/ipv4/conf/eth0.1/forwarding'), 'net.ipv4.conf.eth0/1.forwarding')
})

const sysctls = (...names: string[]) => ({ securityContext: { sysctls: names.map(name => ({ name, value: '1' })) } })
/** The pod, and what the node says to it. */
const rules: [what: string, spec: Partial<PodSpec>, message: string | undefined][] = [
  ['a safe sysctl', sysctls('net.ipv4.tcp_syncookies'), undefined],
  ['one that the node allows', sysctls('net.core.somaxconn'), undefined],
  ['an unsafe one', sysctls('kernel.msgmax'), 'forbidden sysctl: "kernel.msgmax" not allowlisted'],
  [
    "a network's with the machine's own",
    { ...sysctls('net.ipv4.tcp_syncookies'), hostNetwork: true },
    'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
  ],
  [
    "IPC's with the machine's own",
    { ...sysctls('kernel.shm_rmid_forced'), hostIPC: true },
    'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
  ],
  [
    'AppArmor where there is none',
    { containers: [container({ appArmorProfile: { type: 'RuntimeDefault' } })] },
    'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  ],
  ['no AppArmor', { containers: [container({ appArmorProfile: { type: 'Unconfined' } })] }, undefined],
  ['Windows', { os: { name: 'windows' } }, "Failed to admit pod as the OS field doesn't match node OS"],
]

for (const [what, spec, message] of rules) {
  test(`ruleProblem: ${what}`, () => {
    const problem = ruleProblem(pod(spec), { unsafeSysctls: ['net.core.*'], appArmor: false })
    assert.equal(problem?.message, message)
  })
}
