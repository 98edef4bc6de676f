/** The ports of Ingresses, as the configuration and the command line say them. */
import type { PortWish } from '../../gateway/server/ports.ts'
import type { LoadedConfiguration } from './configuration.ts'
import { about } from './fields.ts'

/** Ports that were asked for; what is absent is chosen. */
export interface IngressPorts {
  readonly http?: number
  readonly https?: number
}

const MOST = 65_535

function portOf(port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > MOST) throw new Error(`${port} is no port from 0 to ${MOST}`)
  return port
}

/** Reads `ingress` of a configuration; undefined: no Ingress is to be served. Throws `UserError`. */
export function ingressOf({ configuration: { ingress }, file }: LoadedConfiguration): IngressPorts | undefined {
  const { enabled = true, httpPort, httpsPort } = ingress ?? {}
  const http = httpPort === undefined ? undefined : about(file, 'ingress.httpPort', () => portOf(httpPort))
  const https = httpsPort === undefined ? undefined : about(file, 'ingress.httpsPort', () => portOf(httpsPort))
  return enabled ? { ...(http !== undefined && { http }), ...(https !== undefined && { https }) } : undefined
}

/** Ports of Ingresses, and what is taken where the system keeps these for root. Not 8080, which services like to have. */
const USUAL = { http: [80, 8880], https: [443, 8443] } as const

/** A port that was asked for is taken or told of; without a wish there is a second choice for who is not root. */
const wish = (asked: number | undefined, [port, instead]: readonly [number, number]): PortWish =>
  asked === undefined ? { port, instead } : { port: asked }

/** How nodes on other machines are told of it: `auto` is a port without a wish. */
export const ingressOfNodes = (ports: IngressPorts | undefined): Readonly<Record<string, string>> => ({
  ingressHTTPPort: ports ? String(ports.http ?? 'auto') : 'none',
  ingressHTTPSPort: ports ? String(ports.https ?? 'auto') : 'none',
})

/** What a node was told; undefined: it serves no Ingresses. A server that knows nothing of it serves them alone. */
export function ingressOfNode(data: Readonly<Record<string, string>>): IngressPorts | undefined {
  const { ingressHTTPPort = 'none', ingressHTTPSPort = 'none' } = data
  if (ingressHTTPPort === 'none') return undefined
  const [http, https] = [Number(ingressHTTPPort), Number(ingressHTTPSPort)]
  return { ...(Number.isInteger(http) && { http }), ...(Number.isInteger(https) && { https }) }
}

/** The ports to take. */
export const ingressPorts = ({ http, https }: IngressPorts): { http: PortWish; https: PortWish } => ({
  http: wish(http, USUAL.http),
  https: wish(https, USUAL.https),
})
