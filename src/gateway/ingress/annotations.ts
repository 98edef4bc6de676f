/**
 * What annotations of an Ingress say. Other controllers have hundreds of them: those that mean something here are few,
 * and whoever sets another is told that it does nothing. Pure.
 */
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { Protocol } from '../routing/route.ts'

/** What is wanted of the routes of an Ingress. */
export interface Wishes {
  /** Requests without TLS are sent to where there is TLS, for hosts that have it. */
  readonly redirect: boolean
  /** And for those that have none of their own, as where a proxy before ends TLS. */
  readonly redirectAlways: boolean
  /** Most bytes of a request's body; absent: as many as come. */
  readonly bodyBytes?: number
  /** What backends speak; absent: as ports of services say. */
  readonly protocol?: Protocol
  /** Annotations that mean nothing here, or whose values cannot be read. */
  readonly ignored: readonly string[]
}

/** Each is known under our own name and under that of ingress-nginx. */
const OWN = 'tutti.dev/'
const NGINX = 'nginx.ingress.kubernetes.io/'
/** Their values count as what `Wishes` says. */
const KNOWN = ['ssl-redirect', 'force-ssl-redirect', 'proxy-body-size', 'backend-protocol'] as const

/** Whose annotations ask a controller for something. */
const OF_CONTROLLERS = [
  OWN,
  NGINX,
  'alb.ingress.kubernetes.io/',
  'appgw.ingress.kubernetes.io/',
  'haproxy-ingress.github.io/',
  'haproxy.org/',
  'ingress.kubernetes.io/',
  'konghq.com/',
  'nginx.org/',
  'projectcontour.io/',
  'traefik.ingress.kubernetes.io/',
]

/** As nginx writes sizes: `8m`, `512k`, `1g`, bytes; 0 is no limit. */
const SIZE = /^(\d{1,12})([kKmMgG]?)$/
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

function sizeOf(text: string): number | undefined {
  const [, digits, unit = ''] = SIZE.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * FACTORS[unit.toLowerCase()]!
}

const PROTOCOLS: Readonly<Record<string, Protocol>> = { HTTP: 'http', HTTPS: 'https', GRPC: 'h2c' }
const protocolOf = (text: string | undefined) => PROTOCOLS[text?.toUpperCase() ?? '']

/** Whether the value of an annotation that is known cannot be read. */
const isUnread = (key: string, value: string) =>
  (key.endsWith('/proxy-body-size') && sizeOf(value) === undefined) ||
  (key.endsWith('/backend-protocol') && protocolOf(value) === undefined)

/** Reads them. */
export function wishesOf({ metadata }: Ingress): Wishes {
  const annotations = metadata?.annotations ?? {}
  const said = (name: (typeof KNOWN)[number]) => annotations[`${OWN}${name}`] ?? annotations[`${NGINX}${name}`]
  const size = said('proxy-body-size')
  const bytes = size === undefined ? undefined : sizeOf(size)
  const protocol = protocolOf(said('backend-protocol'))
  const isKnown = (key: string) => KNOWN.some(name => key === `${OWN}${name}` || key === `${NGINX}${name}`)
  const ignored = Object.keys(annotations).filter(
    key => OF_CONTROLLERS.some(prefix => key.startsWith(prefix)) && (!isKnown(key) || isUnread(key, annotations[key]!)),
  )
  return {
    redirect: said('ssl-redirect') !== 'false',
    redirectAlways: said('force-ssl-redirect') === 'true',
    ...(bytes && { bodyBytes: bytes }),
    ...(protocol && { protocol }),
    ignored: ignored.sort(),
  }
}
