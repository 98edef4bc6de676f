/** Lists where maps belong and maps where lists do, empty ones too. */
import { MERGE, STRATEGIC } from '../../ask.ts'
import type { Json } from '../../bases/base.ts'
import { type Case, changed, of } from '../written.ts'

const WRONG: Readonly<Record<string, Json>> = {
  'list for a map': { spec: { template: { spec: { nodeSelector: [] } } } },
  'map for a list': { spec: { template: { spec: { tolerations: {} } } } },
  'list for labels': { metadata: { labels: [] } },
  'list for a struct': { spec: { strategy: [] } },
  'no kind': { kind: null },
}

const patched = (name: string, type: string) =>
  changed('Deployment', `${name}, ${type === MERGE ? 'merged' : 'by strategy'}`, [{ type, patch: WRONG[name]! }])

export const shapes: readonly Case[] = [
  ...Object.keys(WRONG).flatMap(name => [
    patched(name, MERGE),
    ...('kind' in WRONG[name]! ? [] : [patched(name, STRATEGIC)]),
  ]),
  of('Deployment', 'list for labels', ({ metadata }) => (metadata.labels = [])),
  of('ConfigMap', 'list for data', object => (object.data = [])),
  of('Pod', 'map for tolerations', ({ spec }) => (spec.tolerations = {})),
]
