import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DEFAULT_SETTINGS } from '../../agent/settings.ts'
import { UserError } from '../../cli/context.ts'
import { loadKubeletSettings } from './kubelet.ts'

let directory: string
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'tutti-kubelet-'))
})
after(() => rmSync(directory, { recursive: true }))

const load = (fields: string) => {
  const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'
  writeFileSync(join(directory, 'kubelet.yaml'), head + fields)
  return loadKubeletSettings(directory)
}

test('loadKubeletSettings has defaults where there is no file', async () => {
  rmSync(join(directory, 'kubelet.yaml'), { force: true })
  const { settings, manifests } = await loadKubeletSettings(directory)
  assert.deepEqual(settings, DEFAULT_SETTINGS)
  assert.equal(manifests, join(directory, 'manifests'))
})

test('loadKubeletSettings reads what is built', async () => {
  const found = await load(`
staticPodPath: /etc/pods
podPidsLimit: -1
allowedUnsafeSysctls: [net.core.*, kernel.msgmax]
crashLoopBackOff: {maxContainerRestartPeriod: 30s}
serializeImagePulls: false
maxParallelImagePulls: 5
imageMinimumGCAge: 0s
imageMaximumGCAge: 24h
imageGCHighThresholdPercent: 70
imageGCLowThresholdPercent: 60
evictionHard: {memory.available: 200Mi}
evictionSoft: {nodefs.available: 20%}
evictionSoftGracePeriod: {nodefs.available: 1m}
evictionMinimumReclaim: {nodefs.available: 1Gi}
evictionPressureTransitionPeriod: 30s
evictionMaxPodGracePeriod: 60
shutdownGracePeriod: 30s
shutdownGracePeriodCriticalPods: 10s
imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages
preloadedImagesVerificationAllowlist: [example.com/base, example.com/tools/*]
`)
  assert.deepEqual(found, {
    manifests: '/etc/pods',
    settings: {
      podPids: undefined,
      unsafeSysctls: ['net.core.*', 'kernel.msgmax'],
      restartMaxMs: 30_000,
      parallelPulls: 5,
      imageGarbage: { highPercent: 70, lowPercent: 60, minAgeMs: 0, maxAgeMs: 86_400_000 },
      verification: {
        policy: 'NeverVerifyAllowlistedImages',
        allowlist: ['example.com/base', 'example.com/tools/*'],
      },
      credentialProviders: [],
      eviction: {
        thresholds: [
          { signal: 'memory.available', below: { value: 200 * 1024 ** 2 }, graceMs: 0 },
          { signal: 'nodefs.available', below: { percent: 20 }, graceMs: 60_000, reclaim: { value: 1024 ** 3 } },
        ],
        transitionMs: 30_000,
        longestGraceMs: 60_000,
      },
      shutdown: [
        { priority: 0, seconds: 20 },
        { priority: 2_000_000_000, seconds: 10 },
      ],
    },
  })
})

for (const [fields, expected] of [
  ['podPidsLimit: 5', 3],
  ['serializeImagePulls: true', 1],
  ['maxParallelImagePulls: 1', 1],
  ['serializeImagePulls: false', Number.POSITIVE_INFINITY],
] as const) {
  test(`loadKubeletSettings takes ${fields} as ${expected} pulls at once`, async () => {
    assert.equal((await load(fields)).settings.parallelPulls, expected)
  })
}

test('loadKubeletSettings reads periods of the shutdown by priority', async () => {
  const { settings } = await load(`
shutdownGracePeriodByPodPriority:
  - {priority: 1000, shutdownGracePeriodSeconds: 20}
  - {shutdownGracePeriodSeconds: 5}
`)
  assert.deepEqual(settings.shutdown, [
    { priority: 1000, seconds: 20 },
    { priority: 0, seconds: 5 },
  ])
  assert.deepEqual((await load('shutdownGracePeriod: 0s')).settings.shutdown, [])
})

for (const [fields, message] of [
  ['shutdownGracePeriod: 500ms', /shutdownGracePeriod: "500ms" must be 0s or at least 1s/],
  ['shutdownGracePeriod: -1s', /shutdownGracePeriod: "-1s" must be 0s or at least 1s/],
  ['shutdownGracePeriodCriticalPods: 5s', /shutdownGracePeriodCriticalPods: "5s" is a part of shutdownGracePeriod/],
  [
    'shutdownGracePeriod: 30s\nshutdownGracePeriodByPodPriority: [{priority: 1, shutdownGracePeriodSeconds: 1}]',
    /shutdownGracePeriodByPodPriority: cannot be set together with shutdownGracePeriod/,
  ],
  ['shutdownGracePeriodByPodPriority: [{priority: 1}, {priority: 1}]', /names a priority twice/],
  ['shutdownGracePeriodByPodPriority: [{shutdownGracePeriodSeconds: -1}]', /-1 must be a whole number of seconds/],
  ['maxPods: 3', /kubelet\.yaml: unknown field "maxPods"/],
  ['podPidsLimit: 0', /podPidsLimit: 0 must be a number of processes/],
  ['crashLoopBackOff: {maxContainerRestartPeriod: 10m}', /maxContainerRestartPeriod: "10m" must be from 1s to 300s/],
  ['maxParallelImagePulls: 2', /maxParallelImagePulls: cannot be larger than 1 unless serializeImagePulls is false/],
  ['serializeImagePulls: false\nmaxParallelImagePulls: 0', /maxParallelImagePulls: 0 must be a positive number/],
  ['imageGCHighThresholdPercent: 101', /imageGCHighThresholdPercent: 101 must be between 0 and 100/],
  [
    'imageGCHighThresholdPercent: 80',
    /imageGCLowThresholdPercent: 80 must be less than imageGCHighThresholdPercent, 80/,
  ],
  ['imageMinimumGCAge: soon', /imageMinimumGCAge: time: invalid duration "soon"/],
  ['imageMinimumGCAge: -1s', /imageMinimumGCAge: -1s must not be negative/],
  ['imagePullCredentialsVerificationPolicy: Sometimes', /VerificationPolicy: "Sometimes" must be one of NeverVerify, /],
  ['preloadedImagesVerificationAllowlist: [a]', /preloadedImagesVerificationAllowlist: can only be set where/],
  ['imageMaximumGCAge: 1m', /imageMaximumGCAge: 1m must be greater than imageMinimumGCAge/],
  ['evictionHard: {memory: 1Gi}', /kubelet\.yaml: evictionHard, evictionSoft: unsupported eviction signal memory/],
  ['evictionHard: {memory.available: 7}', /evictionHard\.memory\.available must be a string/],
  ['evictionSoft: {memory.available: 1Gi}', /grace period must be specified for the soft eviction threshold/],
  ['evictionMaxPodGracePeriod: -1', /evictionMaxPodGracePeriod: -1 must be a whole number of seconds/],
  ['evictionPressureTransitionPeriod: soon', /evictionPressureTransitionPeriod: .*soon/],
  ['allowedUnsafeSysctls: ["*"]', /allowedUnsafeSysctls: "\*" is no kernel parameter/],
] as const) {
  test(`loadKubeletSettings refuses ${fields}`, async () => {
    await assert.rejects(load(fields), error => {
      assert.ok(error instanceof UserError)
      assert.match(error.message, message)
      assert.equal(error.hint, 'docs/pods.md says what may stand there.')
      return true
    })
  })
}
