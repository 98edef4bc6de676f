/** What a machine keeps for itself, as the configuration says it. */
import type { NodeLimits } from '../../agent/node/machine.ts'
import { milliValue, quantityValue } from '../../api/machinery/quantity.ts'
import type { LoadedConfiguration } from './configuration.ts'
import { about } from './fields.ts'

const RESOURCES = ['cpu', 'memory', 'ephemeral-storage']

function checkReserved(resource: string, quantity: string): void {
  if (!RESOURCES.includes(resource))
    throw new Error(`${JSON.stringify(resource)} must be one of ${RESOURCES.join(', ')}`)
  const amount = resource === 'cpu' ? milliValue(quantity) : quantityValue(quantity)
  if (!(amount >= 0)) throw new Error(`${JSON.stringify(quantity)} must be a quantity like 500m or 1Gi, not below zero`)
}

/** Reads `node` of a configuration. Throws `UserError` that names the field that is wrong. */
export function nodeLimits({ configuration: { node }, file }: LoadedConfiguration): NodeLimits {
  const { maxPods, reserved } = node ?? {}
  if (maxPods !== undefined)
    about(file, 'node.maxPods', () => {
      if (!Number.isInteger(maxPods) || maxPods < 1) throw new Error(`${maxPods} must be a whole number above zero`)
    })
  for (const [resource, quantity] of Object.entries(reserved ?? {}))
    about(file, `node.reserved.${resource}`, () => checkReserved(resource, quantity))
  return { ...(maxPods !== undefined && { maxPods }), ...(reserved && { reserved }) }
}
