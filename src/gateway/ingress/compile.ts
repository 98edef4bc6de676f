/**
 * From Ingresses to routes, and to the certificates that hosts show. Pure. What two Ingresses both want, the older one
 * has; what cannot be had is told as a problem of the Ingress that wants it.
 */
import type { HTTPIngressPath, IngressBackend } from '../../api/generated/types/networking-v1.ts'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { normalPath } from '../routing/path.ts'
import type { Route, Target } from '../routing/route.ts'
import { keyOfRoute } from '../routing/table.ts'
import { type Wishes, wishesOf } from './annotations.ts'

/** What is wrong with an Ingress, as an event tells it. */
export interface Problem {
  readonly ingress: Ingress
  readonly reason: string
  readonly message: string
}

/** Hosts and the secret with their certificate. A host of '' stands for all that have none. */
export interface CertificateUse {
  readonly hosts: readonly string[]
  readonly secret: string
  readonly ingress: Ingress
}

export interface Compiled {
  /** By what they match. */
  readonly routes: ReadonlyMap<string, Route>
  /** Of two for one host, the first counts. */
  readonly certificates: readonly CertificateUse[]
  readonly problems: readonly Problem[]
}

const nameOf = ({ metadata }: Ingress) => `${metadata?.namespace}/${metadata?.name}`
const ageOf = ({ metadata }: Ingress) => Date.parse(metadata?.creationTimestamp ?? '') || 0

/** Oldest first. */
const byAge = (a: Ingress, b: Ingress) => ageOf(a) - ageOf(b) || (nameOf(a) < nameOf(b) ? -1 : 1)

/** The hosts for which an Ingress wants TLS; '' is every host of its rules. */
const tlsHosts = ({ spec }: Ingress): ReadonlySet<string> =>
  new Set((spec?.tls ?? []).flatMap(({ hosts }) => (hosts?.length ? hosts : [''])))

function targetOf({ ingress: { metadata }, wishes }: Wanted, { service }: IngressBackend): Target | undefined {
  const port = service?.port?.name ?? service?.port?.number
  return service && port !== undefined
    ? {
        namespace: metadata?.namespace ?? '',
        service: service.name,
        port,
        ...(wishes.protocol && { protocol: wishes.protocol }),
      }
    : undefined
}

function certificatesOf(ingress: Ingress): CertificateUse[] {
  const ruleHosts = (ingress.spec?.rules ?? []).map(({ host }) => host ?? '')
  return (ingress.spec?.tls ?? []).flatMap(({ hosts, secretName }) =>
    secretName
      ? [{ hosts: hosts?.length ? hosts : ruleHosts.length ? ruleHosts : [''], secret: secretName, ingress }]
      : [],
  )
}

const RESOURCE_REFUSED = 'backends that are resources are not built: name a service'

/** An Ingress with what counts for each of its routes. */
interface Wanted {
  readonly ingress: Ingress
  readonly tls: ReadonlySet<string>
  readonly wishes: Wishes
}

const wanted = (ingress: Ingress): Wanted => ({ ingress, tls: tlsHosts(ingress), wishes: wishesOf(ingress) })

interface Draft extends Route {
  readonly ingress: Ingress
}

function draft(of: Wanted, backend: IngressBackend, place: Pick<Route, 'host' | 'match' | 'path'>): Draft {
  const { ingress, tls, wishes } = of
  const target = targetOf(of, backend)
  const { redirect, redirectAlways, bodyBytes } = wishes
  return {
    ...place,
    ...(target && { target }),
    redirect: redirectAlways || (redirect && (tls.has('') || tls.has(place.host))),
    ...(bodyBytes !== undefined && { bodyBytes }),
    owner: { namespace: ingress.metadata?.namespace ?? '', name: ingress.metadata?.name ?? '' },
    ingress,
  }
}

/** ImplementationSpecific is taken as Prefix. */
function ruleRoute(of: Wanted, host: string, { path, pathType, backend }: HTTPIngressPath): Draft | undefined {
  const normal = normalPath(path || '/')
  const match = pathType === 'Exact' ? 'Exact' : 'Prefix'
  return normal === undefined ? undefined : draft(of, backend, { host, match, path: normal })
}

/**
 * The default backend: of the hosts that the Ingress has rules for, where none of their paths matches, or, where it has
 * no rules, of every host that nobody has.
 */
function defaultRoutes(of: Wanted): Draft[] {
  const { defaultBackend, rules } = of.ingress.spec ?? {}
  if (!defaultBackend) return []
  const hosts = rules?.length ? new Set(rules.map(({ host }) => host ?? '')) : ['']
  return [...hosts].map(host => draft(of, defaultBackend, { host, match: 'Prefix', path: '/' }))
}

/** Compiles Ingresses, in whatever order they come. */
export function compile(ingresses: readonly Ingress[]): Compiled {
  const problems: Problem[] = []
  const claims = new Map<string, Draft>()
  const sorted = ingresses.toSorted(byAge).map(wanted)
  const problem = (ingress: Ingress, reason: string, message: string) => problems.push({ ingress, reason, message })

  function claim(route: Draft) {
    const key = keyOfRoute(route)
    const standing = claims.get(key)
    if (!standing) claims.set(key, route)
    else if (standing.ingress !== route.ingress)
      problem(
        route.ingress,
        'PathConflict',
        `${route.match} path ${route.path} of ${route.host ? `host ${route.host}` : 'all hosts'} is served by the older Ingress ${nameOf(standing.ingress)}`,
      )
  }
  for (const each of sorted) {
    const { ingress, wishes } = each
    for (const { host = '', http } of ingress.spec?.rules ?? [])
      for (const path of http?.paths ?? []) {
        const route = ruleRoute(each, host, path)
        if (route) claim(route)
        else problem(ingress, 'PathRefused', `no request is answered for the path ${path.path}`)
        if (path.backend.resource) problem(ingress, 'ResourceRefused', `path ${path.path ?? '/'}: ${RESOURCE_REFUSED}`)
      }
    const { ignored } = wishes
    if (ignored.length)
      problem(
        ingress,
        'AnnotationsIgnored',
        `these mean nothing here, or nothing with their values: ${ignored.join(', ')}`,
      )
    if (ingress.spec?.defaultBackend?.resource)
      problem(ingress, 'ResourceRefused', `default backend: ${RESOURCE_REFUSED}`)
  }
  // A rule comes before anybody's default.
  const ruled = new Set(claims.keys())
  for (const route of sorted.flatMap(defaultRoutes)) if (!ruled.has(keyOfRoute(route))) claim(route)
  return {
    routes: new Map([...claims].map(([key, { ingress, ...route }]) => [key, route])),
    certificates: sorted.flatMap(({ ingress }) => certificatesOf(ingress)),
    problems,
  }
}
