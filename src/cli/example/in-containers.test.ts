import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Manifest } from '../apply/manifests.ts'
import { inContainers } from './in-containers.ts'

const deployment = (name: string) =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      template: {
        spec: {
          runtimeClassName: 'process',
          containers: [{ name: 'c', image: 'host', workingDir: '/here/shop', command: ['node', 'a.js'] }],
        },
      },
    },
  }) as unknown as Manifest

describe('inContainers', () => {
  it('gives the services that are named the image, and leaves the others', () => {
    const made = { image: 'tutti.dev/example-shop:1', folder: '/here/shop', imageFolder: '/app' }
    const other = deployment('cart')
    const [first, second] = inContainers([deployment('catalog'), other], ['catalog'], made)
    assert.equal(second, other)
    assert.deepEqual((first as unknown as { spec: object }).spec, {
      template: {
        spec: {
          containers: [
            {
              name: 'c',
              image: 'tutti.dev/example-shop:1',
              imagePullPolicy: 'IfNotPresent',
              workingDir: '/app',
              command: ['node', 'a.js'],
            },
          ],
        },
      },
    })
  })
})
