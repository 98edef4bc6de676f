/** intstr.IntOrString: an int, or a string that is a percentage, a number or a name. */
export type IntOrString = number | string

/** `25%` → 25; undefined for anything else. */
export function parsePercent(text: string): number | undefined {
  return /^[+-]?[0-9]+%$/.test(text) ? Number(text.slice(0, -1)) : undefined
}

/**
 * The number that an int or a percentage of `total` stands for, rounded up or down. Throws for strings that are no
 * percentage. As GetScaledValueFromIntOrPercent of k8s.io/apimachinery/pkg/util/intstr.
 */
export function scaledValue(value: IntOrString, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value
  const percent = parsePercent(value)
  if (percent === undefined) {
    throw new Error(
      value.endsWith('%')
        ? `invalid value for IntOrString: invalid value ${JSON.stringify(value)}: strconv.Atoi: parsing ${JSON.stringify(value.slice(0, -1))}: invalid syntax`
        : 'invalid value for IntOrString: invalid type: string is not a percentage',
    )
  }
  const scaled = (percent * total) / 100
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled)
}

/** The int that it holds or spells; 0 where it does not. */
export function intValue(value: IntOrString): number {
  if (typeof value === 'number') return value
  return /^[+-]?[0-9]+$/.test(value) ? Number(value) : 0
}
