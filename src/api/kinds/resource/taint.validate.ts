/** Taints of devices, and what tolerates them. */
import type { DeviceTaint, DeviceToleration } from '../../generated/types/resource-v1.ts'
import { invalid, notSupported } from '../../machinery/field-error.ts'
import { isLabelValue } from '../../machinery/names.ts'
import { checkEnum, checkFormat, type Errors } from '../rules.ts'
import { checkKey } from './names.validate.ts'

const EFFECTS = ['NoExecute', 'NoSchedule', 'None']
const OPERATORS = ['Equal', 'Exists']

export function checkTaint({ key, value, effect }: DeviceTaint, path: string, errors: Errors): void {
  checkKey(key, `${path}.key`, errors)
  if (value) checkFormat(isLabelValue(value), value, `${path}.value`, errors)
  checkEnum(effect, EFFECTS, `${path}.effect`, errors)
}

export function checkToleration(toleration: DeviceToleration, path: string, errors: Errors): void {
  const { key, operator, value = '', effect } = toleration
  if (key) checkKey(key, `${path}.key`, errors)
  checkEnum(operator, OPERATORS, `${path}.operator`, errors)
  if (operator === 'Equal') checkFormat(isLabelValue(value), value, `${path}.value`, errors)
  if (operator === 'Exists' && value) {
    errors.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'))
  }
  if (effect && !EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS))
}
