import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Level, parseVersion, policyOf } from './policy.ts'
import { CHECKS, describeViolations, podStandards } from './standards.ts'

/** Generated pods and what kube-apiserver 1.36.3 said of each at several levels, without `… violates PodSecurity "…": `. */
const recorded = readFileSync(new URL('testdata/answers.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map(line => JSON.parse(line))

test('the standards find in generated pods what kube-apiserver finds, in its words', () => {
  const violationsOf = podStandards()
  let compared = 0
  for (const { pod, answers } of recorded)
    for (const [key, expected] of Object.entries(answers)) {
      const [level, version] = key.split(':')
      const found = violationsOf({ level: level as Level, version: parseVersion(version!)! }, pod)
      assert.equal(describeViolations(found), expected, `${key}: ${JSON.stringify(pod)}`)
      compared++
    }
  assert.equal(compared, recorded.length * 5)
})

test('the recorded answers show every check at work', () => {
  const text = JSON.stringify(recorded.map(({ answers }) => answers))
  const reasons = [
    'allowPrivilegeEscalation != false',
    'forbidden AppArmor profile',
    'non-default capabilities',
    'unrestricted capabilities',
    'host namespaces',
    'hostPath volumes',
    'hostPort',
    'probe or lifecycle host',
    'privileged',
    'restricted volume types',
    'runAsNonRoot != true',
    'runAsUser=0',
    'seLinuxOptions',
    'seccompProfile',
    'forbidden sysctls',
  ]
  for (const reason of reasons) if (reason !== 'privileged') assert.ok(text.includes(`${reason} (`), reason)
})

test('checks that the recording has no pod for say what upstream says', () => {
  const violationsOf = podStandards()
  const at = (level: Level, spec: object, version: number | 'latest' = 'latest') =>
    describeViolations(
      violationsOf({ level, version }, { annotations: {}, spec: { containers: [{ name: 'a' }], ...spec } } as never),
    )
  const one = (securityContext: object) => ({ containers: [{ name: 'a', securityContext }] })
  const cases: [string, string][] = [
    [
      at('baseline', one({ privileged: true })),
      'privileged (container "a" must not set securityContext.privileged=true)',
    ],
    [
      at('baseline', one({ procMount: 'Unmasked' })),
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [at('baseline', { ...one({ procMount: 'Unmasked' }), hostUsers: false }), ''],
    [
      at('baseline', { ...one({ procMount: 'Unmasked' }), hostUsers: false }, 34),
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      at('baseline', {
        ...one({ windowsOptions: { hostProcess: true } }),
        securityContext: { windowsOptions: { hostProcess: true } },
      }),
      'hostProcess (pod and container "a" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
    [at('privileged', one({ privileged: true })), ''],
    [
      at('restricted', { os: { name: 'windows' } }),
      'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
    ],
  ]
  for (const [found, expected] of cases) assert.equal(found, expected)
})

test('every check has an id of its own, and versions that rise', () => {
  assert.equal(new Set(CHECKS.map(({ id }) => id)).size, CHECKS.length)
  for (const { id, versions } of CHECKS)
    assert.deepEqual(
      [...versions].map(([minor]) => minor),
      versions.map(([minor]) => minor).sort((a, b) => a - b),
      id,
    )
})

test('policyOf reads the labels of a namespace, and takes the strict for what it cannot read', () => {
  const open = { level: 'privileged', version: 'latest' } as const
  const defaults = { enforce: open, audit: open, warn: open }
  const of = (labels: Record<string, string>) =>
    policyOf(
      Object.fromEntries(Object.entries(labels).map(([key, value]) => [`pod-security.kubernetes.io/${key}`, value])),
      defaults,
    )
  assert.deepEqual(of({}).policy, defaults)
  assert.deepEqual(of({ enforce: 'baseline', 'enforce-version': 'v1.25' }).policy, {
    enforce: { level: 'baseline', version: 25 },
    audit: open,
    warn: { level: 'baseline', version: 25 },
  })
  assert.deepEqual(of({ enforce: 'baseline', warn: 'privileged' }).policy.warn, open)
  const bad = of({ enforce: 'strict', audit: 'strict', 'warn-version': 'v2' })
  assert.deepEqual(bad.policy, { enforce: { level: 'restricted', version: 'latest' }, audit: open, warn: open })
  assert.deepEqual(
    bad.errors.map(({ field, message }) => `${field}: ${message}`),
    [
      'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: "strict": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "v2": must be "latest" or "v1.x"',
    ],
  )
})
