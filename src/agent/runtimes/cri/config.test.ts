import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainContainer, plainSandbox } from '../configs.fixture.ts'
import { criContainer } from './config.ts'

test('criContainer asks for the end of the whole container with one process too many, where the kernel can', () => {
  const unified = (unifiedGroups: boolean, oomGroup: boolean) => {
    const translation = { owner: 'a', cgroupParent: () => undefined, ownNetwork: false, unifiedGroups }
    const container = plainContainer('image', { resources: { oomGroup } })
    return criContainer(plainSandbox('uid', '/pods/uid'), container, translation, undefined).linux?.resources?.unified
  }
  assert.deepEqual(unified(true, true), { 'memory.oom.group': '1' })
  assert.deepEqual(unified(true, false), {})
  assert.deepEqual(unified(false, true), {})
})
