/** Rules of what is left: limits of sizes, quotas, nodes, jobs. */
import type { Json } from '../../bases/base.ts'
import { type Case, of, update } from '../written.ts'

const quota = (name: string, scopeSelector: Json, hard: Json = { pods: '1' }) =>
  of('ResourceQuota', name, object => (object.spec = { hard, scopeSelector: { matchExpressions: [scopeSelector] } }))
const limits = (name: string, limit: Json) => of('LimitRange', name, ({ spec }) => (spec.limits = [limit]))
const configured = (name: string, configMap: Json) =>
  update('Node', name, object => (object.spec = { configSource: { configMap } }))
const MEBIBYTE = 1024 * 1024

export const others: readonly Case[] = [
  of('Job', 'name of another', ({ spec }) => {
    spec.template.metadata = { labels: { 'batch.kubernetes.io/job-name': 'x', 'controller-uid': 'y' } }
  }),
  of('Job', 'indexes that are too long', ({ spec }) => {
    Object.assign(spec, { completionMode: 'Indexed', completions: 3, parallelism: 3 })
    spec.successPolicy = { rules: [{ succeededIndexes: Array(33_000).fill('0').join() }] }
  }),
  of('ConfigMap', 'too large', object => (object.data = { k: 'a'.repeat(MEBIBYTE + 1) })),
  of('Secret', 'too large', object => (object.data = { k: Buffer.alloc(MEBIBYTE + 1).toString('base64') })),
  of('EventsEvent', 'long note, source of old', object => {
    Object.assign(object, { note: 'a'.repeat(1025), deprecatedSource: { component: 'x' } })
  }),
  limits('other default than request', {
    type: 'Container',
    default: { 'hugepages-2Mi': '4Mi' },
    defaultRequest: { 'hugepages-2Mi': '2Mi' },
  }),
  limits('nothing for claims', { type: 'PersistentVolumeClaim', default: { storage: '1Gi' } }),
  limits('resource without a domain', { type: 'PersistentVolumeClaim', max: { odd: '1', storage: '1Gi' } }),
  quota('operator of a scope without values', { scopeName: 'Terminating', operator: 'In', values: ['x'] }),
  quota('values of what exists', { scopeName: 'PriorityClass', operator: 'Exists', values: ['x'] }),
  quota('scope of other resources', { scopeName: 'BestEffort', operator: 'Exists' }, { 'requests.cpu': '1' }),
  configured('configuration without names', {}),
  configured('configuration of bad names', { name: 'A_', namespace: 'A_', kubeletConfigKey: 'a b' }),
  of('Node', 'swap of nothing', object => (object.status = { nodeInfo: { swap: { capacity: 0 } } })),
]
