/**
 * What the gateway knows of where requests go, whoever said so: Ingresses now. Another API (Gateway API) makes the same
 * values, and nothing behind them changes. Plain data.
 */

/** What a backend speaks: HTTP/1.1, the same within TLS, or HTTP/2 without TLS. */
export type Protocol = 'http' | 'https' | 'h2c'

/** A port of a service, by number or name. */
export interface Target {
  readonly namespace: string
  readonly service: string
  readonly port: number | string
  /** Absent: as the port of the service says. */
  readonly protocol?: Protocol
}

/** What tells targets apart: no name of a port is a number. */
export const idOfTarget = ({ namespace, service, port, protocol }: Target): string =>
  `${namespace}/${service}:${port}${protocol ? ` ${protocol}` : ''}`

/** The object that asked for a route. */
export interface Owner {
  readonly namespace: string
  readonly name: string
}

export interface Route {
  /** `shop.example`; `*.example`: one label more; '': every host for which there is no other. Lower case. */
  readonly host: string
  /** The whole path, or the first of its elements. */
  readonly match: 'Exact' | 'Prefix'
  /** Begins with `/`. As `normalPath` gives it. */
  readonly path: string
  /** Absent: what was named cannot be had, and the answer is 503. */
  readonly target?: Target
  /** Requests without TLS are sent to where there is TLS. */
  readonly redirect: boolean
  /** Most bytes of a request's body. */
  readonly bodyBytes?: number
  readonly owner: Owner
}
