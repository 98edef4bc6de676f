/** Selectors and configurations of devices, which classes and claims share. */
import type { DeviceSelector, OpaqueDeviceConfiguration } from '../../generated/types/resource-v1.ts'
import { forbidden, invalid, required, tooLong } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'
import { checkList } from './lists.validate.ts'
import { deviceSelectors } from './load-selectors.ts'
import { checkDriver } from './names.validate.ts'

const SELECTORS = 32
const EXPRESSION_MAX = 10 * 1024
const PARAMETERS_MAX = 10 * 1024

function checkSelector({ cel }: DeviceSelector, path: string, errors: Errors): void {
  if (!cel) return void errors.push(required(`${path}.cel`))
  const at = `${path}.cel.expression`
  const expression = cel.expression ?? ''
  if (expression.length > EXPRESSION_MAX) return void errors.push(tooLong(at, EXPRESSION_MAX))
  const { problem, tooComplex } = deviceSelectors().compileDeviceSelector(expression)
  if (problem !== undefined) errors.push(invalid(at, expression, problem))
  else if (tooComplex) errors.push(forbidden(at, 'too complex, exceeds cost limit'))
}

export const checkSelectors = (selectors: readonly DeviceSelector[] | undefined, path: string, errors: Errors) =>
  checkList(selectors, SELECTORS, checkSelector, path, errors)

/** Any JSON object of at most `max` bytes. */
export function checkRawObject(value: unknown, max: number, path: string, errors: Errors): void {
  if (value === undefined || value === null) return void errors.push(required(path))
  if (JSON.stringify(value).length > max) errors.push(tooLong(path, max))
  else if (typeof value !== 'object' || Array.isArray(value)) {
    errors.push(invalid(path, '<value omitted>', 'must be a valid JSON object'))
  }
}

export function checkConfiguration(
  { opaque }: { readonly opaque?: OpaqueDeviceConfiguration },
  path: string,
  errors: Errors,
): void {
  if (!opaque) return void errors.push(required(`${path}.opaque`))
  checkDriver(opaque.driver, `${path}.opaque.driver`, errors)
  checkRawObject(opaque.parameters, PARAMETERS_MAX, `${path}.opaque.parameters`, errors)
}
