/** Names that are odd, and what comes of names. */
import type { Json } from '../../bases/base.ts'
import { type Case, of, update } from '../written.ts'

const named = (kind: string, name: string) =>
  of(kind, `name ${name.slice(0, 5)} of ${name.length}`, ({ metadata }) => (metadata.name = name))
const labelled = (name: string, change: (metadata: Json) => void) =>
  of('Job', name, ({ metadata, spec }) => {
    spec.template.metadata = { labels: { app: 'a' } }
    change(metadata)
  })
const LARGE = { completionMode: 'Indexed', completions: 100_001, parallelism: 10_001 }
const long = 'a'.repeat(254)

export const names: readonly Case[] = [
  ...['Deployment', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob'].map(kind => named(kind, 'a.b')),
  ...['ReplicationController', 'DeviceClass', 'ConfigMap', 'Job'].map(kind => named(kind, long)),
  named('Job', 'A_'),
  labelled('labels of pods', () => undefined),
  labelled('labels of pods, bad name', metadata => (metadata.name = 'A_')),
  labelled('labels of its own, bad name', metadata => Object.assign(metadata, { name: 'A_', labels: { x: 'y' } })),
  of('Job', 'large, odd name', ({ metadata, spec }) => {
    metadata.name = 'a.b'
    Object.assign(spec, LARGE)
  }),
  of('CronJob', 'large, odd name', ({ metadata, spec }) => {
    metadata.name = 'a.b'
    Object.assign(spec.jobTemplate.spec, LARGE)
  }),
  update(
    'Job',
    'grows large',
    ({ spec }) => (spec.parallelism = LARGE.parallelism),
    ({ spec }) => Object.assign(spec, LARGE, { parallelism: 1 }),
  ),
  of('StatefulSet', 'names that pods get anyway', ({ spec }) => {
    Object.assign(spec.template.spec, { subdomain: 'A_', hostname: 'A_' })
  }),
  of('Deployment', 'bad names of pods', ({ spec }) => {
    Object.assign(spec.template.spec, { subdomain: 'A_', hostname: 'A_' })
  }),
]
