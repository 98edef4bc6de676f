/** `/`: the paths that the server answers, for whoever looks around (`kubectl get --raw /`). */
import type { KindTable } from '../registry/kind-table.ts'
import type { Answer } from '../request.ts'
import { groupsOf } from './groups.ts'

const FIXED = [
  '/api',
  '/apis',
  '/apis/',
  '/metrics',
  '/metrics/slis',
  '/openapi/v2',
  '/openapi/v3',
  '/version',
] as const

/** Makes the handler; `others` are further paths. It gives undefined for every other path than `/` and `/index.html`. */
export function indexPage(kinds: KindTable, others: () => readonly string[]): (path: string) => Answer | undefined {
  return path => {
    if (path !== '/' && path !== '/index.html') return undefined
    const ofKinds = groupsOf(kinds.all()).flatMap(({ group, versions }) => {
      const root = group ? `/apis/${group}` : '/api'
      return [root, ...versions.map(({ version }) => `${root}/${version}`)]
    })
    const paths = [...new Set([...FIXED, ...ofKinds, ...others()])].sort()
    return { status: 200, type: 'value', value: { paths } }
  }
}
