import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DEFAULT_SETTINGS } from '../../agent/settings.ts'
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
`)
  assert.deepEqual(found, {
    manifests: '/etc/pods',
    settings: { podPids: undefined, unsafeSysctls: ['net.core.*', 'kernel.msgmax'], restartMaxMs: 30_000 },
  })
})

for (const [fields, message] of [
  ['maxPods: 3', /kubelet\.yaml: unknown field "maxPods"/],
  ['podPidsLimit: 0', /podPidsLimit: 0 must be a number of processes/],
  ['crashLoopBackOff: {maxContainerRestartPeriod: 10m}', /maxContainerRestartPeriod: "10m" must be from 1s to 300s/],
  ['allowedUnsafeSysctls: ["*"]', /allowedUnsafeSysctls: "\*" is no kernel parameter/],
] as const) {
  test(`loadKubeletSettings refuses ${fields}`, async () => {
    await assert.rejects(load(fields), error => message.test((error as Error).message))
  })
}
