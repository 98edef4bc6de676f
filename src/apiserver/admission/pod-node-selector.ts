import { badRequest } from '../../api/machinery/status-error.ts'
import type { KindReader } from '../registry/registry.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts'
import type { Pod } from './pod-shape.ts'
import { refuse } from './refusal.ts'

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector'
const DEFAULT = 'clusterDefaultNodeSelector'

type Labels = Record<string, string>

/** `a=b,c=d` as labels. */
function parse(text: string | undefined): Labels {
  const labels: Labels = {}
  for (const part of (text ?? '').split(',')) {
    if (!part.trim()) continue
    const [key, value, ...rest] = part.split('=').map(each => each.trim())
    if (value === undefined || rest.length) throw badRequest(`invalid selector: ${part}`)
    labels[key!] = value
  }
  return labels
}

const clash = (a: Labels, b: Labels) => Object.keys(a).some(key => b[key] !== undefined && b[key] !== a[key])

/**
 * PodNodeSelector (off unless asked for): the pods of a namespace go to the nodes that its annotation selects.
 * `selectors`: by namespace the labels that its pods may select at all, and under `clusterDefaultNodeSelector` what
 * namespaces without an annotation select.
 */
export function podNodeSelector(namespaces: KindReader, selectors: Readonly<Labels> = {}): AdmissionPlugin {
  const selectorOf = ({ namespace }: AdmissionAttributes) => {
    const own = namespaces.get('', namespace)?.value.metadata?.annotations?.[ANNOTATION]
    return parse(own ?? selectors[DEFAULT])
  }
  return {
    name: 'PodNodeSelector',
    handles: ({ kind, subresource, operation }) =>
      kind.key === 'v1/pods' && subresource === '' && operation === 'CREATE',
    mutate(request) {
      const { spec } = request.object as Pod
      const selector = selectorOf(request)
      if (clash(selector, spec.nodeSelector ?? {}))
        throw refuse(request, 'pod node label selector conflicts with its namespace node label selector')
      const merged = { ...selector, ...spec.nodeSelector }
      if (Object.keys(merged).length) spec.nodeSelector = merged
    },
    validate(request) {
      const { nodeSelector = {} } = (request.object as Pod).spec
      if (clash(selectorOf(request), nodeSelector))
        throw refuse(request, 'pod node label selector conflicts with its namespace node label selector')
      const allowed = parse(selectors[request.namespace])
      if (!Object.keys(allowed).length) return
      if (Object.entries(nodeSelector).some(([key, value]) => allowed[key] !== value))
        throw refuse(request, 'pod node label selector labels conflict with its namespace whitelist')
    },
  }
}
