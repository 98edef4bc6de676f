import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PodSpec } from '../../generated/types/core-v1.ts'
import { podTemplateWarnings, templateWarnings } from './pod-warnings.ts'

const container = { name: 'c', image: 'x' }

const cases: [what: string, spec: Partial<PodSpec>, warnings: string[]][] = [
  ['nothing odd', { containers: [container] }, []],
  [
    'a source that is no more',
    { volumes: [{ name: 'v', gitRepo: { repository: 'r' } }] },
    ['spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+'],
  ],
  [
    'files in each other',
    {
      volumes: [
        {
          name: 'v',
          configMap: {
            name: 'm',
            items: [
              { key: 'a', path: 'p' },
              { key: 'b', path: 'p/q' },
            ],
          },
        },
      ],
    },
    ['volume "v" (ConfigMap "m"): overlapping paths: "p/q" with "p"'],
  ],
  [
    'a variable that hides another',
    {
      containers: [
        {
          ...container,
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      ],
    },
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  ],
]

for (const [what, spec, warnings] of cases) {
  test(`podTemplateWarnings tells of ${what}`, () => {
    assert.deepEqual(podTemplateWarnings({ spec: spec as PodSpec }), warnings)
  })
}

test('templateWarnings are silent where an update leaves the spec as it is', () => {
  interface Made {
    metadata: { generation: number }
    template: { spec: PodSpec }
  }
  const warn = templateWarnings<Made>(({ template }) => template)
  const made = (generation: number): Made => ({
    metadata: { generation },
    template: { spec: { containers: [container], volumes: [{ name: 'v', gitRepo: { repository: 'r' } }] } },
  })
  assert.equal(warn(made(1), undefined).length, 1)
  assert.equal(warn(made(1), made(1)).length, 0)
  assert.equal(warn(made(2), made(1)).length, 1)
})
