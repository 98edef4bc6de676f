/**
 * Thresholds of a node's resources as a KubeletConfiguration says them (Kubernetes documentation, "Node-pressure
 * Eviction"). Pure.
 */
import { parseQuantity, quantityValue } from '../../api/machinery/quantity.ts'
import { parseDuration } from '../../api/machinery/time.ts'

/** Conditions of a node that tell of a want. */
export type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure'

interface Meaning {
  readonly condition: Pressure
  /** What runs short, as messages call it. */
  readonly resource: 'memory' | 'ephemeral-storage' | 'inodes' | 'pids'
}

/** What is looked at, and what a want of it is. */
export const SIGNALS = {
  'memory.available': { condition: 'MemoryPressure', resource: 'memory' },
  'nodefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'nodefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'imagefs.available': { condition: 'DiskPressure', resource: 'ephemeral-storage' },
  'imagefs.inodesFree': { condition: 'DiskPressure', resource: 'inodes' },
  'pid.available': { condition: 'PIDPressure', resource: 'pids' },
} as const satisfies Readonly<Record<string, Meaning>>

export type Signal = keyof typeof SIGNALS

/** It is about the disk on which images lie. */
export const isOfImages = (signal: Signal): boolean => signal.startsWith('imagefs.')

/** So much, or a share of all that there is. */
export type Amount = { readonly value: number } | { readonly percent: number }

export interface Threshold {
  readonly signal: Signal
  /** Less than that is a want. */
  readonly below: Amount
  /** A soft one must be passed for so long before pods are evicted, ms; 0: a hard one. */
  readonly graceMs: number
  /** So much more than `below` ends the want. */
  readonly reclaim?: Amount
}

/** The fields of KubeletConfiguration, by signal. */
export interface ThresholdFields {
  readonly evictionHard?: Readonly<Record<string, string>>
  readonly evictionSoft?: Readonly<Record<string, string>>
  readonly evictionSoftGracePeriod?: Readonly<Record<string, string>>
  readonly evictionMinimumReclaim?: Readonly<Record<string, string>>
  /** Signals that `evictionHard` does not name keep their default. Default: they have none. */
  readonly mergeDefaultEvictionSettings?: boolean
}

/**
 * The kubelet's, but for disks, of which it wants 10 and 15 %: a machine that somebody works on is often as full as that,
 * and its pods are not to be taken away for it.
 */
const DEFAULT_HARD: Readonly<Record<string, string>> = {
  'memory.available': '100Mi',
  'nodefs.available': '5%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '5%',
  'imagefs.inodesFree': '5%',
}

/** What an amount is of a whole. */
export const amountOf = (amount: Amount, whole: number): number =>
  'value' in amount ? amount.value : (whole * amount.percent) / 100

const isSignal = (name: string): name is Signal => Object.hasOwn(SIGNALS, name)

function checkSignal(name: string): Signal {
  if (isSignal(name)) return name
  throw new Error(`unsupported eviction signal ${name}: known are ${Object.keys(SIGNALS).join(', ')}`)
}

function parseAmount(text: string): Amount {
  const percent = /^([0-9.]+)%$/.exec(text)
  if (percent) {
    const value = Number(percent[1])
    if (!(value >= 0 && value <= 100)) throw new Error(`${JSON.stringify(text)} is no share from 0% to 100%`)
    return { percent: value }
  }
  const value = quantityValue(parseQuantity(text))
  if (value <= 0) throw new Error(`${JSON.stringify(text)} must be positive`)
  return { value }
}

/** `0%` and `100%` turn a threshold off. */
const isOff = (amount: Amount) => 'percent' in amount && (amount.percent === 0 || amount.percent === 100)

function amounts(of: Readonly<Record<string, string>>): [Signal, Amount][] {
  return Object.entries(of).map(([name, text]) => [checkSignal(name), parseAmount(text)])
}

/** Reads the fields; without any, the defaults. Throws an Error that says what is wrong. */
export function readThresholds(fields: ThresholdFields = {}): Threshold[] {
  const { evictionHard, evictionSoft = {}, evictionSoftGracePeriod = {}, evictionMinimumReclaim = {} } = fields
  const hard =
    evictionHard && !fields.mergeDefaultEvictionSettings ? evictionHard : { ...DEFAULT_HARD, ...evictionHard }
  const reclaims = new Map(amounts(evictionMinimumReclaim))
  for (const name of Object.keys(evictionSoftGracePeriod)) checkSignal(name)
  const soft = amounts(evictionSoft).map(([signal, below]) => {
    const grace = evictionSoftGracePeriod[signal]
    if (grace === undefined) throw new Error(`grace period must be specified for the soft eviction threshold ${signal}`)
    const graceMs = parseDuration(grace)
    if (!(graceMs > 0)) throw new Error(`the grace period ${JSON.stringify(grace)} of ${signal} must be positive`)
    return { signal, below, graceMs }
  })
  return [...amounts(hard).map(([signal, below]) => ({ signal, below, graceMs: 0 })), ...soft]
    .filter(({ below }) => !isOff(below))
    .map(each => {
      const reclaim = reclaims.get(each.signal)
      return { ...each, ...(reclaim && { reclaim }) }
    })
}
