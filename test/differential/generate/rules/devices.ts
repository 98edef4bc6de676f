/** Rules of devices and claims for them. */
import { type Ask, create, DRY, MERGE, patch, pathOf, type Scene, topicOf } from '../../ask.ts'
import type { Json } from '../../bases/base.ts'
import { statuses } from '../../bases/status.ts'
import { base, type Case, changed, of } from '../written.ts'

const slice = (name: string, device: Json) =>
  of('ResourceSlice', name, ({ spec }) => (spec.devices = [{ name: 'd', ...device }]))
const claim = (name: string, change: (request: Json, devices: Json) => void) =>
  of('ResourceClaim', name, ({ spec: { devices } }) => change(devices.requests[0].exactly, devices))
const capacity = (name: string, requestPolicy: Json) =>
  slice(`capacity: ${name}`, { allowMultipleAllocations: true, capacity: { memory: { value: '10', requestPolicy } } })
const selector = (name: string, expression: string) =>
  claim(`selector: ${name}`, request => (request.selectors = [{ cel: { expression } }]))
const configured = (name: string, parameters: unknown) =>
  claim(`configuration: ${name}`, (_, devices) => (devices.config = [{ opaque: { driver: 'x.io', parameters } }]))

const long = (length: number) => 'a'.repeat(length)
const many = <T>(count: number, each: (index: number) => T) => Array.from({ length: count }, (_, index) => each(index))
const numbered = <T>(count: number, value: T) => Object.fromEntries(many(count, index => [`x${index}`, value]))
const allocated: Json = statuses['resource.k8s.io/v1 ResourceClaim']!
const status = (name: string, next: Json) =>
  changed('ResourceClaim', `status: ${name}`, [{ below: '/status', patch: { status: next } }])
const observed = (index: number) => ({
  type: `T${index}`,
  status: 'True',
  reason: 'Test',
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
})

export const devices: readonly Case[] = [
  capacity('values and a range', { default: '1', validValues: ['1'], validRange: { min: '1' } }),
  capacity('values out of order, and too large', { default: '3', validValues: ['2', '1', '20'] }),
  slice('versions', { attributes: { a: { version: 'x' }, b: { version: `1.0.0-${long(64)}` } } }),
  slice('conditions of both kinds', { bindingConditions: ['a'], bindingFailureConditions: ['a'] }),
  slice('many attributes', { attributes: numbered(33, { bool: true }), capacity: { a: { value: '1' } } }),
  slice('very many attributes', { attributes: numbered(49, { bool: true }) }),
  slice('names in parts', { attributes: { '/a': { bool: true }, 'x.io/': { bool: true } } }),
  of('ResourceSlice', 'many counters', ({ spec }) => {
    spec.sharedCounters = [{ name: 's', counters: numbered(33, { value: '1' }) }]
  }),
  claim('many selectors', request => (request.selectors = many(33, () => ({ cel: { expression: 'true' } })))),
  claim('toleration of anything, with a value', request => {
    request.tolerations = [{ key: 'a', operator: 'Exists', value: 'x' }]
  }),
  selector('too long', `true || "${long(10 * 1024)}" == ""`),
  selector('too complex', `${'device.attributes["x.io"].map(a, '.repeat(5)}a${')'.repeat(5)}.size() > 0`),
  configured('of another type', 7),
  configured('too large', { a: long(10 * 1024) }),

  status('source of a configuration', {
    allocation: {
      devices: {
        ...allocated.allocation.devices,
        config: [{ source: 'Odd', opaque: { driver: 'x.io', parameters: {} } }],
      },
    },
  }),
  status('of devices', {
    ...allocated,
    devices: [
      {
        ...allocated.devices[0],
        conditions: many(9, observed),
        networkData: { interfaceName: long(257), hardwareAddress: long(129) },
      },
    ],
  }),
]

/** A claim that is on its way out takes no more users. */
export function leavingClaim(): Scene {
  const object = base('ResourceClaim')
  object.metadata.finalizers = ['example.com/x']
  const path = pathOf(object)
  const reserved = (uid: string) => ({ resource: 'pods', name: uid, uid })
  const asks: Ask[] = [
    create('create', object),
    patch('allocate', `${path}/status`, MERGE, { status: { ...allocated, devices: [] } }),
    { title: 'delete', method: 'DELETE', path },
    patch('reserve', `${path}/status${DRY}`, MERGE, { status: { reservedFor: [reserved('u'), reserved('v')] } }),
  ]
  return { topic: topicOf(object), name: 'rule leaving', asks }
}
