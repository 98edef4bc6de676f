import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { machineSettings } from './machine-settings.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'machine-settings-'))
after(() => rmSync(dataDir, { recursive: true }))

const CONFIGURATION = `apiVersion: tutti.dev/v1alpha1
kind: TuttiConfiguration
node: {maxPods: 7}
containers: {runtimeEndpoint: unix:///run/cri.sock, cgroupDriver: systemd}
registries: [{host: docker.io, mirrors: [https://mirror.example.com/]}]
`

test('machineSettings of a node without a file are none', async () => {
  assert.deepEqual(await machineSettings(dataDir), { limits: {}, containers: { registries: [] } })
})

test('machineSettings says what of a file is about the machine: limits, containers, registries', async () => {
  writeFileSync(join(dataDir, 'config.yaml'), CONFIGURATION)
  assert.deepEqual(await machineSettings(dataDir), {
    limits: { maxPods: 7 },
    containers: {
      runtimeEndpoint: 'unix:///run/cri.sock',
      cgroupDriver: 'systemd',
      registries: [{ host: 'docker.io', mirrors: ['https://mirror.example.com'] }],
    },
  })
})
