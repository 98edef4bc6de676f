import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ContainerStatus as Instance } from '../runtimes/runtime.ts'
import { containerStatus } from './container-status.ts'

describe('containerStatus', () => {
  it('says why a container waits that is made and not yet started', () => {
    const made = { id: 'x', name: 'c', attempt: 0, state: 'created', image: 'i', imageId: '' } as unknown as Instance
    const view = {
      spec: { name: 'c', image: 'i' },
      sort: 'init',
      instances: [made],
      started: false,
      ready: false,
      given: undefined,
      inForce: true,
    } as const
    const { state } = containerStatus({}, view, 'PodInitializing', { terminal: false, runtime: 'process' })
    assert.deepEqual(state, { waiting: { reason: 'PodInitializing' } })
  })
})
