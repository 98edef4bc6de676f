import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolumeSpec } from '../../generated/types/core-v1.ts'
import type { FieldError } from '../../machinery/field-error.ts'
import { checkInlineVolumeSpec, checkVolumeSpec } from './persistent-volume.validate.ts'

const GOOD: PersistentVolumeSpec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } }

const problems = (spec: PersistentVolumeSpec, check = checkVolumeSpec) => {
  const errors: FieldError[] = []
  check(spec, 'spec', 'v', errors)
  return errors.map(({ field, message }) => `${field}: ${message}`)
}

const SOURCES: readonly [PersistentVolumeSpec, ...string[]][] = [
  [{}, 'spec: Required value: must specify a volume type'],
  [{ hostPath: { path: '/x' } }],
  [{ hostPath: { path: '/x/../y' } }, `spec.hostPath.path: Invalid value: "/x/../y": must not contain '..'`],
  [
    { hostPath: { path: '/x' }, cephfs: { monitors: ['m'] } },
    'spec.cephFS: Forbidden: may not specify more than 1 volume type',
  ],
  [{ local: { path: '/x' } }, 'spec.nodeAffinity: Required value: Local volume requires node affinity'],
  [{ quobyte: { registry: '[::1]:80,h:1', volume: 'v' } }],
  [
    { quobyte: { registry: 'h', volume: 'v' } },
    'spec.quobyte.registry: Invalid value: "h": must be a host:port pair or multiple pairs separated by commas',
  ],
  [
    { iscsi: { targetPortal: 'h', iqn: 'x', lun: 256 } },
    'spec.iscsi.iqn: Invalid value: "x": must be valid format',
    'spec.iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
  ],
  [
    { gcePersistentDisk: { pdName: '', partition: -1 } },
    'spec.persistentDisk.pdName: Required value',
    'spec.persistentDisk.partition: Invalid value: -1: must be between 1 and 255, inclusive',
  ],
]

test('checkVolumeSpec wants exactly one good source', () => {
  for (const [source, ...expected] of SOURCES) assert.deepEqual(problems({ ...GOOD, ...source }), expected)
})

test('checkVolumeSpec wants a capacity of storage alone', () => {
  const hostPath = { path: '/x' }
  assert.deepEqual(problems({ ...GOOD, hostPath, capacity: { storage: '0' } }), [
    'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
  ])
  assert.match(problems({ ...GOOD, hostPath, capacity: { storage: '1', cpu: '1' } })[0]!, /Unsupported value/)
})

test('checkInlineVolumeSpec refuses what belongs to a volume of its own', () => {
  const spec: PersistentVolumeSpec = { ...GOOD, csi: { driver: 'x.io', volumeHandle: 'h' }, storageClassName: 's' }
  assert.deepEqual(
    problems(spec, (inline, path, _name, errors) => checkInlineVolumeSpec(inline, path, errors)),
    ['capacity', 'storageClassName'].map(
      field => `spec.${field}: Forbidden: may not be specified in the context of inline volumes`,
    ),
  )
})
