/** Rules of what a pod asks for as a whole (k8s.io/kubernetes `pkg/apis/core/validation`: validatePodResources). */
import type { PodSpec } from '../../generated/types/core-v1.ts'
import { forbidden, invalid } from '../../machinery/field-error.ts'
import { compareQuantities, quantityProblem } from '../../machinery/quantity.ts'
import { containersTogether } from '../../quota/pod-resources.ts'
import type { Errors } from '../rules.ts'
import { isHugePages, type ResourceList } from './resources.ts'
import { checkPodResourceName, checkRequirements } from './resources.validate.ts'

const NO_CLAIMS: ReadonlySet<string> = new Set()

const isMore = (amount: string, than: string | undefined): than is string =>
  than !== undefined && quantityProblem(than) === undefined && compareQuantities(amount, than) > 0

/** The pod has room for its containers, and no container is allowed more than the pod. */
function checkTogether(spec: PodSpec, path: string, errors: Errors): void {
  const { requests = {}, limits = {} }: { requests?: ResourceList; limits?: ResourceList } = spec.resources ?? {}
  const wanted = (what: string, sum: string) => `must be greater than or equal to aggregate container ${what} of ${sum}`
  for (const [name, sum] of Object.entries(containersTogether({ spec }, 'requests'))) {
    const own = requests[name]
    if (isMore(sum, own)) errors.push(invalid(`${path}.requests[${name}]`, own, wanted('requests', sum)))
  }
  for (const [name, sum] of Object.entries(containersTogether({ spec }, 'limits'))) {
    const own = limits[name]
    if (isHugePages(name) && isMore(sum, own)) {
      errors.push(invalid(`${path}.limits[${name}]`, own, wanted('limits', sum)))
    }
  }
  for (const [index, { resources }] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(resources?.limits ?? {})) {
      const own = limits[name]
      if (!isMore(limit, own)) continue
      const at = `${path}.containers[${index}][${name}].limits`
      errors.push(invalid(at, limit, `must be less than or equal to pod limits of ${own}`))
    }
  }
}

export function checkPodResources(spec: PodSpec, path: string, errors: Errors): void {
  const { resources, os } = spec
  if (!resources) return
  if (os?.name === 'windows') {
    errors.push(forbidden(path, 'may not be set for a windows pod'))
    return
  }
  if (resources.claims) errors.push(forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level'))
  checkRequirements(resources, NO_CLAIMS, path, errors, checkPodResourceName)
  checkTogether(spec, path, errors)
}
