import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recorded } from '../../../test/fixtures/kube-apiserver/recorded.ts'
import { randomObject, seeded } from '../../../test/fixtures/random-deployment.ts'
import { jsonPatch } from './json-patch.ts'
import { createMergePatch, equalJson, mergePatch } from './merge-patch.ts'
import type { KubeObject } from './object.ts'
import type { StatusError } from './status-error.ts'
import { strategicMergePatch } from './strategic-merge-patch.ts'
import { checkStructure } from './structural.ts'

const DEPLOYMENT = 'io.k8s.api.apps.v1.Deployment'

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) frozen(inner)
  return Object.freeze(value)
}

describe('mergePatch', () => {
  // RFC 7386, appendix A.
  const cases: [unknown, unknown, unknown][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [target, patch, expected] of cases) {
    it(`mergePatch makes ${JSON.stringify(expected)} of ${JSON.stringify(target)} and ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(mergePatch(frozen(target), frozen(patch)), expected)
    })
  }

  it('mergePatch undoes createMergePatch', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed)
      const [a, b] = [frozen(randomObject(random)), frozen(randomObject(random))]
      assert.ok(equalJson(mergePatch(a, createMergePatch(a, b)), b))
      assert.deepEqual(createMergePatch(a, structuredClone(a)), {})
    }
  })

  it('mergePatch cannot reach prototypes', () => {
    const result = mergePatch({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'))
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    assert.equal((result as Record<string, unknown>).polluted, undefined)
  })
})

describe('jsonPatch', () => {
  const cases: [unknown, unknown[], unknown][] = [
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    [{ a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    [{ a: 1 }, [{ op: 'replace', path: '/a', value: { b: 1 } }], { a: { b: 1 } }],
    [{ a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    [
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'remove', path: '/a/b' },
      ],
      { a: {}, c: { b: 1 } },
    ],
    [
      { 'a/b': 1, 'c~d': 2 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'remove', path: '/c~0d' },
      ],
      {},
    ],
    [{ a: [1, 2] }, [{ op: 'test', path: '/a', value: [1, 2] }], { a: [1, 2] }],
    [{ a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    [{ a: 1 }, [{ op: 'replace', path: '', value: [] }], []],
  ]
  for (const [target, patch, expected] of cases) {
    it(`jsonPatch ${JSON.stringify(patch)} on ${JSON.stringify(target)}`, () => {
      assert.deepEqual(jsonPatch(frozen(target), frozen(patch)), expected)
    })
  }

  const failures: [unknown[], string][] = [
    [[{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed: test failed'],
    [[{ op: 'remove', path: '/x' }], 'Unable to remove nonexistent key: x: missing value'],
    [
      [{ op: 'add', path: '/x/y', value: 1 }],
      'add operation does not apply: doc is missing path: "/x/y": missing value',
    ],
    [[{ op: 'add', path: '/l/9', value: 1 }], 'Unable to access invalid index: 9'],
    [[{ op: 'add', path: '/l/01', value: 1 }], "value was not a proper array index: '01'"],
    [[{ op: 'bogus', path: '/a' }], 'Unexpected kind: bogus'],
  ]
  for (const [patch, cause] of failures) {
    it(`jsonPatch answers 422 for ${JSON.stringify(patch)}`, () => {
      assert.throws(
        () => jsonPatch({ a: 1, l: [] }, patch),
        (error: StatusError) => error.code === 422 && (error.cause as Error).message === cause,
      )
    })
  }

  it('jsonPatch answers 400 for what is no list of operations', () => {
    assert.throws(() => jsonPatch({}, { op: 'x' }), {
      message: 'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    })
  })
})

interface Recorded {
  live: KubeObject
  patch: unknown
  code: number
  result: KubeObject & { message?: string }
}

describe('jsonPatch', () => {
  it('jsonPatch copies null for a field that is not there, and refuses what lies deeper', () => {
    assert.deepEqual(jsonPatch({ a: 1 }, [{ op: 'copy', from: '/x', path: '/y' }]), { a: 1, y: null })
    assert.throws(() => jsonPatch({ a: 1 }, [{ op: 'copy', from: '/x/z', path: '/y' }]))
  })
})

describe('strategicMergePatch', () => {
  recorded<Recorded>('strategic-merge-patch').forEach(({ live, patch, code, result }, index) => {
    it(`strategicMergePatch does what the real server does, case ${index}: ${JSON.stringify(patch).slice(0, 100)}`, () => {
      frozen(live)
      frozen(patch)
      if (code >= 400) {
        assert.throws(() => strategicMergePatch(live, patch, DEPLOYMENT), { message: result.message! })
        return
      }
      const made = structuredClone(strategicMergePatch(live, patch, DEPLOYMENT))
      checkStructure(made, DEPLOYMENT)
      // What was recorded leaves out what is always there.
      const expected = structuredClone(result)
      checkStructure(expected, DEPLOYMENT)
      assert.deepEqual(made, expected)
    })
  })

  it('strategicMergePatch with what is there changes nothing', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const object = frozen(randomObject(seeded(seed)))
      assert.deepEqual(strategicMergePatch(object, object, DEPLOYMENT), object)
    }
  })

  it('strategicMergePatch deletes a map by directive and keeps siblings', () => {
    const live = { metadata: { labels: { a: '1' }, annotations: { b: '2' } } }
    const patch = { metadata: { labels: { $patch: 'delete' } } }
    assert.deepEqual(strategicMergePatch(live, patch, DEPLOYMENT), {
      metadata: { labels: {}, annotations: { b: '2' } },
    })
  })

  const POD = 'io.k8s.api.core.v1.Pod'
  const BUDGET = 'io.k8s.api.policy.v1.PodDisruptionBudget'
  const made: readonly [what: string, schema: string, live: object, patch: object, expected: object][] = [
    ['keeps directives about nothing', POD, {}, { spec: { $retainKeys: ['a'] } }, { spec: { $retainKeys: ['a'] } }],
    [
      'drops what only says how to merge',
      POD,
      { spec: {} },
      { spec: { dnsConfig: { $patch: 'delete' } } },
      { spec: {} },
    ],
    [
      'replaces a map of that strategy',
      BUDGET,
      { spec: { selector: { a: 1 } } },
      { spec: { selector: { b: 2 } } },
      { spec: { selector: { b: 2 } } },
    ],
    [
      'takes a replacement as it is',
      POD,
      { spec: { a: 1 } },
      { spec: { $patch: 'replace', b: null } },
      { spec: { b: null } },
    ],
  ]
  for (const [what, schema, live, patch, expected] of made) {
    it(`strategicMergePatch ${what}`, () => assert.deepEqual(strategicMergePatch(live, patch, schema), expected))
  }

  const bad: readonly [patch: object, message: string][] = [
    [{ spec: { containers: [{ image: 'x' }] } }, 'map: map[image:x] does not contain declared merge key: name'],
    [
      { spec: { containers: [{ $patch: 'delete' }] } },
      'map: map[$patch:delete] does not contain declared merge key: name',
    ],
    [{ spec: { containers: [{ $patch: 'merge', name: 'a' }] } }, 'merging lists cannot yet be specified in the patch'],
    [{ spec: { containers: [{ $patch: 'x', name: 'a' }] } }, 'unknown patch type: x in map: map[$patch:x name:a]'],
    [{ spec: { $patch: 'merge' } }, 'unknown patch type: merge in map: map[$patch:merge]'],
  ]
  for (const [patch, message] of bad) {
    it(`strategicMergePatch fails with 500: ${message}`, () => {
      const live = { spec: { containers: [{ name: 'a' }] } }
      assert.throws(
        () => strategicMergePatch(live, patch, POD),
        (error: StatusError) => error.code === 500 && error.message === message,
      )
    })
  }

  it('strategicMergePatch refuses retainKeys that leave out a field of the patch', () => {
    assert.throws(() => strategicMergePatch({ spec: {} }, { spec: { $retainKeys: ['a'], replicas: 1 } }, DEPLOYMENT))
  })
})
