import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Instance } from './instance.ts'
import { unmetBy } from './second-up.ts'

const running: Instance = {
  pid: 1,
  startTime: '',
  version: '1',
  server: 'https://127.0.0.1:6443',
  nodeName: 'n1',
  startedAt: '',
  network: { mode: 'kernel', notes: [] },
  runtimes: ['process'],
  asked: { runtime: 'process' },
  notes: [],
}

for (const [what, options, expected] of [
  ['nothing of what was not asked for', {}, undefined],
  [
    'nothing of what is so',
    { port: '6443', network: 'kernel', runtime: 'process', nodeName: 'n1', nodes: '1' },
    undefined,
  ],
  ['nothing of what may be anything', { port: '0', network: 'auto' }, undefined],
  [
    'of one thing',
    { port: '6443', advertiseAddress: '192.0.2.1' },
    'it runs already, and --advertise-address counts at a start: tutti down, then tutti up with it',
  ],
  [
    'of several',
    { port: '7000', runtime: 'containerd', runtimeEndpoint: 'unix:///x' },
    'it runs already, and --port, --runtime, --runtime-endpoint count at a start: tutti down, then tutti up with them',
  ],
] as const)
  test(`unmetBy tells ${what}`, () => assert.equal(unmetBy(running, options), expected))
