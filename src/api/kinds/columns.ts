/**
 * Columns that many kinds share, and the words kubectl's users know from them. Behaviour as
 * k8s.io/kubernetes `pkg/printers/internalversion`.
 */

import type { Cell, Column } from '../machinery/kind.ts'
import type { LabelSelector } from '../machinery/label-selector.ts'
import { selectorFromLabelSelector } from '../machinery/label-selector.ts'
import type { KubeObject } from '../machinery/object.ts'
import { humanDuration, parseTime } from '../machinery/time.ts'

/** Time since an RFC 3339 time as kubectl shows it: `5s`, `3m20s`, `2d`; `<unknown>` without one. */
export function age(time: string | undefined | null, now: number): string {
  const at = parseTime(time)
  return at === undefined ? '<unknown>' : humanDuration(now - at)
}

/** A column of strings that is always shown. */
export const text = <T extends KubeObject>(name: string, cell: (object: T, now: number) => Cell): Column<T> => ({
  name,
  type: 'string',
  cell,
})

/** A column of strings that is shown with `-o wide`. */
export const wide = <T extends KubeObject>(name: string, cell: (object: T, now: number) => Cell): Column<T> => ({
  name,
  type: 'string',
  priority: 1,
  cell,
})

/** A column of whole numbers; an absent one is 0. */
export const count = <T extends KubeObject>(name: string, cell: (object: T) => number | undefined): Column<T> => ({
  name,
  type: 'integer',
  cell: object => cell(object) ?? 0,
})

/** A column of true and false; an absent value is false. */
export const flag = <T extends KubeObject>(name: string, cell: (object: T) => boolean | undefined): Column<T> => ({
  name,
  type: 'boolean',
  cell: object => cell(object) ?? false,
})

/** The object's name. */
export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  cell: object => object.metadata?.name,
}

/** How long ago the object was created. */
export const ageColumn: Column = text('Age', (object, now) => age(object.metadata?.creationTimestamp, now))

/** What kinds without columns of their own show. */
export const createdAtColumns: readonly Column[] = [
  nameColumn,
  { name: 'Created At', type: 'date', cell: object => object.metadata?.creationTimestamp },
]

/** The first `max` of a list, joined, and how many more there are. */
export const firstOf = (list: readonly string[], max: number): string =>
  list.length > max ? `${list.slice(0, max).join(',')} + ${list.length - max} more...` : list.join(',')

/** `a=1,b=2`, sorted; `<none>` without labels. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length ? pairs.sort().join(',') : '<none>'
}

/** A LabelSelector as text; '' where it selects everything, `<invalid>` where it cannot be read. */
export function selectorText(selector: LabelSelector | undefined): string {
  try {
    return selectorFromLabelSelector(selector).toString()
  } catch {
    return '<invalid>'
  }
}

/** As selectorText, but `<none>` where it selects everything. */
export function formatSelector(selector: LabelSelector | undefined): string {
  const formatted = selectorText(selector)
  return formatted === '<invalid>' ? '<error>' : formatted || '<none>'
}
