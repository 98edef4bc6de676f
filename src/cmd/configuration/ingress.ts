/** How Ingresses are served, as the configuration and the command line say it. */
import type { PortWish } from '../../gateway/server/ports.ts'
import { familyOf, formatCidr, parseCidr } from '../../lib/ip-range.ts'
import { alone } from '../../network/family.ts'
import type { LoadedConfiguration } from './configuration.ts'
import { about } from './fields.ts'

/** Ports that were asked for, what is absent is chosen; and who is believed. */
export interface IngressSettings {
  readonly http?: number
  readonly https?: number
  /** Ranges of addresses of proxies before the gateway. */
  readonly trustedProxies: readonly string[]
}

const MOST = 65_535

function portOf(port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > MOST) throw new Error(`${port} is no port from 0 to ${MOST}`)
  return port
}

/** A range of addresses, or one, as a range. Throws an Error for what is neither. */
const rangeOf = (text: string): string =>
  formatCidr(parseCidr(familyOf(text) && !text.includes('/') ? alone(text) : text))

/** Reads `ingress` of a configuration; undefined: no Ingress is to be served. Throws `UserError`. */
export function ingressOf({ configuration: { ingress }, file }: LoadedConfiguration): IngressSettings | undefined {
  const { enabled = true, httpPort, httpsPort, trustedProxies: ranges = [] } = ingress ?? {}
  const http = httpPort === undefined ? undefined : about(file, 'ingress.httpPort', () => portOf(httpPort))
  const https = httpsPort === undefined ? undefined : about(file, 'ingress.httpsPort', () => portOf(httpsPort))
  const trustedProxies = about(file, 'ingress.trustedProxies', () => ranges.map(rangeOf))
  if (!enabled) return undefined
  return { ...(http !== undefined && { http }), ...(https !== undefined && { https }), trustedProxies }
}

/** Ports of Ingresses, and what is taken where the system keeps these for root. Not 8080, which services like to have. */
const USUAL = { http: [80, 8880], https: [443, 8443] } as const

/** A port that was asked for is taken or told of; without a wish there is a second choice for who is not root. */
const wish = (asked: number | undefined, [port, instead]: readonly [number, number]): PortWish =>
  asked === undefined ? { port, instead } : { port: asked }

/** How nodes on other machines are told of it: `auto` is a port without a wish. */
export const ingressOfNodes = (settings: IngressSettings | undefined): Readonly<Record<string, string>> => ({
  ingressHTTPPort: settings ? String(settings.http ?? 'auto') : 'none',
  ingressHTTPSPort: settings ? String(settings.https ?? 'auto') : 'none',
  ingressTrustedProxies: settings?.trustedProxies.join() ?? '',
})

/** What a node was told; undefined: it serves no Ingresses. A server that knows nothing of it serves them alone. */
export function ingressOfNode(data: Readonly<Record<string, string>>): IngressSettings | undefined {
  const { ingressHTTPPort = 'none', ingressHTTPSPort = 'none', ingressTrustedProxies = '' } = data
  if (ingressHTTPPort === 'none') return undefined
  const [http, https] = [Number(ingressHTTPPort), Number(ingressHTTPSPort)]
  const trustedProxies = ingressTrustedProxies.split(',').filter(Boolean)
  return { ...(Number.isInteger(http) && { http }), ...(Number.isInteger(https) && { https }), trustedProxies }
}

/** The ports to take. */
export const ingressPorts = ({ http, https }: IngressSettings): { http: PortWish; https: PortWish } => ({
  http: wish(http, USUAL.http),
  https: wish(https, USUAL.https),
})
