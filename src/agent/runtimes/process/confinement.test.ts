import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainContainer } from '../configs.fixture.ts'
import type { ContainerConfig } from '../runtime.ts'
import { checkConfinement } from './confinement.ts'
import { createPlacement } from './placement.ts'
import type { Platform } from './platform.ts'
import { machineArchitecture } from './seccomp/numbers.ts'

const machine: Platform = {
  namespaces: true,
  root: true,
  seLinux: false,
  tools: { perl: '/usr/bin/perl' },
  cgroups: undefined,
}
const profile: Partial<ContainerConfig> = { seccomp: { type: 'RuntimeDefault' } }

for (const [what, config, platform, refusal] of [
  ['nothing special', {}, {}, undefined],
  ['no filter', { seccomp: { type: 'Unconfined' } }, { tools: {} }, undefined],
  ['a filter without perl', profile, { tools: {} }, /without the program perl/],
  ['a filter in portable mode', profile, { namespaces: false }, /portable mode/],
  ['a filter for a privileged container', { ...profile, privileged: true }, { tools: {} }, undefined],
  ['its own filter', { seccomp: { type: 'Localhost', localhost: '/a.json' } }, {}, undefined],
  ['its own filter without perl', { seccomp: { type: 'Localhost', localhost: '/a.json' } }, { tools: {} }, /perl/],
  ['no AppArmor', { appArmor: { type: 'Unconfined' } }, {}, undefined],
  ['AppArmor', { appArmor: { type: 'RuntimeDefault' } }, {}, /cannot give an AppArmor profile of the runtime's/],
  ['its own AppArmor', { appArmor: { type: 'Localhost', localhost: 'own' } }, {}, /the AppArmor profile own/],
  ['labels where there are none', { seLinux: { level: 's0' } }, {}, undefined],
  ['labels', { seLinux: { level: 's0' } }, { seLinux: true }, /SELinux options/],
  ['all of /proc', { procMount: 'Unmasked' }, {}, /procMount: Unmasked/],
] as [string, Partial<ContainerConfig>, Partial<Platform>, RegExp | undefined][]) {
  test(`checkConfinement: ${what}`, {
    skip: config.seccomp && !machineArchitecture && 'no filter for this processor',
  }, () => {
    const check = () => checkConfinement(plainContainer('host', config), { ...machine, ...platform }, {})
    if (refusal) assert.throws(check, refusal)
    else check()
  })
}

test('checkConfinement: files of the machine in a pod with users of its own', () => {
  const own = { userNamespace: [{ containerId: 0, hostId: 100_000, length: 65_536 }] }
  assert.throws(() => checkConfinement(plainContainer('host'), machine, own), /cannot run image "host"/)
  checkConfinement(plainContainer('busybox'), machine, own)
})

test('createPlacement: a command under a profile is refused, not run without it, where perl is gone', {
  skip: !machineArchitecture && 'no filter for this processor',
}, () => {
  const words = (tools: Platform['tools']) =>
    createPlacement({ ...machine, tools }, '/bin').credentials({ config: plainContainer('host', profile) })
  assert.deepEqual(words(machine.tools).slice(0, 3), ['/usr/bin/env', 'PERL_BADLANG=0', '/usr/bin/perl'])
  assert.throws(() => words({}), /a seccomp profile needs the program perl/)
})
