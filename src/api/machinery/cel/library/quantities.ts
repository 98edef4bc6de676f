import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityOf,
  quantityProblem,
  subtractQuantities,
} from '../../quantity.ts'
import { fn, type Library, method, overload } from '../declarations.ts'
import { fail } from '../errors.ts'
import { BOOL, DOUBLE, INT, STRING, sealedType } from '../types.ts'
import { Opaque } from '../values.ts'

export const QUANTITY = sealedType('kubernetes.Quantity')
const NANO = 1_000_000_000n

/** A quantity such as `1.5Gi`. */
export class QuantityValue extends Opaque {
  readonly typeName = 'kubernetes.Quantity'
  readonly quantity: Quantity
  constructor(quantity: Quantity) {
    super()
    this.quantity = quantity
  }
  equals(other: QuantityValue): boolean {
    return compareQuantities(this.quantity, other.quantity) === 0
  }
  override text(): string {
    return formatQuantity(this.quantity)
  }
}

function toQuantity(text: string): QuantityValue {
  const problem = quantityProblem(text)
  return problem === undefined ? new QuantityValue(parseQuantity(text)) : fail(problem)
}

const isInteger = ({ quantity }: QuantityValue) =>
  quantity.nano % NANO === 0n && BigInt.asIntN(64, quantity.nano / NANO) === quantity.nano / NANO

const asInteger = (value: QuantityValue) =>
  isInteger(value) ? value.quantity.nano / NANO : fail('cannot convert value to integer')

const sign = ({ quantity: { nano } }: QuantityValue) => (nano > 0n ? 1n : nano < 0n ? -1n : 0n)
const order = (left: QuantityValue, right: QuantityValue) => compareQuantities(left.quantity, right.quantity)
const whole = (value: bigint) => quantityOf(value, 'DecimalExponent')
const made = (quantity: Quantity) => new QuantityValue(quantity)

const TWO = [QUANTITY, QUANTITY]

/** Kubernetes' functions about quantities. */
export const QUANTITIES: Library = [
  fn('quantity', overload('string_to_quantity', [STRING], QUANTITY, toQuantity)),
  fn(
    'isQuantity',
    overload('is_quantity_string', [STRING], BOOL, (text: string) => quantityProblem(text) === undefined),
  ),
  fn('sign', overload('quantity_sign', [QUANTITY], INT, sign)),
  fn(
    'isGreaterThan',
    method('quantity_is_greater_than', TWO, BOOL, (a: QuantityValue, b: QuantityValue) => order(a, b) > 0),
  ),
  fn(
    'isLessThan',
    method('quantity_is_less_than', TWO, BOOL, (a: QuantityValue, b: QuantityValue) => order(a, b) < 0),
  ),
  fn(
    'compareTo',
    method('quantity_compare_to', TWO, INT, (a: QuantityValue, b: QuantityValue) => BigInt(Math.sign(order(a, b)))),
  ),
  fn(
    'asApproximateFloat',
    method('quantity_get_float', [QUANTITY], DOUBLE, ({ quantity }: QuantityValue) => Number(quantity.nano) / 1e9),
  ),
  fn('asInteger', method('quantity_get_int', [QUANTITY], INT, asInteger)),
  fn('isInteger', method('quantity_is_integer', [QUANTITY], BOOL, isInteger)),
  fn(
    'add',
    method('quantity_add', TWO, QUANTITY, (a: QuantityValue, b: QuantityValue) =>
      made(addQuantities(a.quantity, b.quantity)),
    ),
    method('quantity_add_int', [QUANTITY, INT], QUANTITY, (a: QuantityValue, b: bigint) =>
      made(addQuantities(a.quantity, whole(b))),
    ),
  ),
  fn(
    'sub',
    method('quantity_sub', TWO, QUANTITY, (a: QuantityValue, b: QuantityValue) =>
      made(subtractQuantities(a.quantity, b.quantity)),
    ),
    method('quantity_sub_int', [QUANTITY, INT], QUANTITY, (a: QuantityValue, b: bigint) =>
      made(subtractQuantities(a.quantity, whole(b))),
    ),
  ),
]
