/** Takes out of answers what differs from run to run: what the server, the clock and chance made up. */
import type { Answer } from './ask.ts'

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
/** Addresses of services on either side. */
const ADDRESS = /\b10\.97\.\d{1,3}\.\d{1,3}\b/g
/** The volume of a pod's token. */
const TOKEN_VOLUME = /\bkube-api-access-[a-z0-9]{5}\b/g
const AGE = /^(\d+[smhd])+$/
const VERSION_IN_TEXT = /(resource ?version[^0-9]{1,40})\d+/gi

/** `sent` is everything that the client said: what stands in it was not made up. */
export function mask({ status, warnings, body }: Answer, sent: string): Answer {
  const said = (text: string) => sent.includes(text)
  const text = (value: string): string =>
    value
      .replace(UUID, found => (said(found) ? found : 'UID'))
      .replace(TIME, found => (said(found) ? found : 'TIME'))
      .replace(ADDRESS, found => (said(found) ? found : 'ADDRESS'))
      .replace(TOKEN_VOLUME, 'kube-api-access-RANDOM')
      .replace(VERSION_IN_TEXT, (_, before) => `${before}RV`)

  function generated(name: string, base: unknown): string {
    return typeof base === 'string' && base && name.startsWith(base) && !said(`"${name}"`) ? `${base}RANDOM` : name
  }

  function field(key: string, value: unknown, parent: Record<string, unknown>): unknown {
    if (key === 'resourceVersion' && typeof value === 'string') return said(`"${value}"`) ? value : 'RV'
    if (key === 'cells' && Array.isArray(value)) return value.map(cell => (AGE.test(cell) ? 'AGE' : masked(cell)))
    if (key === 'continue' && typeof value === 'string' && value) return 'CONTINUE'
    if ((key === 'nodePort' || key === 'healthCheckNodePort') && value && !said(`${key}":${value}`)) return 'PORT'
    if (key === 'name' && typeof value === 'string') return text(generated(value, parent.generateName))
    return masked(value)
  }

  function masked(value: unknown): unknown {
    if (typeof value === 'string') return text(value)
    if (Array.isArray(value)) return value.map(masked)
    if (typeof value !== 'object' || value === null) return value
    const object = value as Record<string, unknown>
    return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, field(key, inner, object)]))
  }
  return { status, ...(warnings && { warnings: warnings.map(text) }), body: masked(body) }
}
