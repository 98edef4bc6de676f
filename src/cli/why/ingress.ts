/** Why requests to an Ingress are not answered. Pure. */
import type { IngressBackend } from '../../api/generated/types/networking-v1.ts'
import type { Service } from '../../api/kinds/core/service.ts'
import type { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts'
import { SERVICE_NAME } from '../../api/kinds/discovery/service-name.ts'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { Finding } from './diagnose.ts'

/** What an Ingress names, as it is in its namespace. */
export interface IngressFacts {
  readonly services: readonly Service[]
  readonly slices: readonly EndpointSlice[]
  /** Names of the secrets that are there; undefined where that may not be known. */
  readonly secrets?: readonly string[]
  /** What was last said of a port of the machine that could not be had. */
  readonly portRefusal?: string
  /** Names of the classes that are there. */
  readonly classes: readonly string[]
}

const backendsOf = ({ spec }: Ingress): IngressBackend[] => [
  ...(spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
  ...(spec?.defaultBackend ? [spec.defaultBackend] : []),
]

const hasReady = ({ slices }: IngressFacts, name: string) =>
  slices.some(
    ({ metadata, endpoints = [] }) =>
      metadata?.labels?.[SERVICE_NAME] === name && endpoints.some(({ conditions }) => conditions?.ready !== false),
  )

/** What is wrong with one backend, and the command that shows more. */
function backendProblem(
  { service: named, resource }: IngressBackend,
  facts: IngressFacts,
): [string, string] | undefined {
  if (resource) return [`its backend ${resource.kind}/${resource.name} is a resource, and those are not built`, '']
  if (!named) return undefined
  const port = named.port?.name ?? named.port?.number
  const service = facts.services.find(({ metadata }) => metadata?.name === named.name)
  if (!service) return [`its service ${named.name} is not there`, 'tutti get services']
  const { type, ports = [] } = service.spec ?? {}
  if (type === 'ExternalName') return undefined
  if (!ports.some(each => each.port === port || each.name === port))
    return [`its service ${named.name} has no port ${port}`, `tutti get service ${named.name} -o yaml`]
  if (!hasReady(facts, named.name))
    return [`its service ${named.name} has no ready endpoint`, `tutti why service/${named.name}`]
  return undefined
}

/** What stands in the way; `about` and `namespace` are for the text. */
export function ingressFindings(ingress: Ingress, facts: IngressFacts, about: string, namespace: string): Finding[] {
  const className = ingress.spec?.ingressClassName ?? ingress.metadata?.annotations?.['kubernetes.io/ingress.class']
  if (className === undefined || !facts.classes.includes(className))
    return [
      {
        about,
        cause:
          className === undefined ? 'it names no class, so nobody serves it' : `its class ${className} is not there`,
        next: ['tutti get ingressclasses'],
      },
    ]
  const problems = new Map<string, string>()
  for (const backend of backendsOf(ingress)) {
    const [cause, next] = backendProblem(backend, facts) ?? []
    if (cause) problems.set(cause, next ? `${next} -n ${namespace}` : '')
  }
  for (const { secretName } of ingress.spec?.tls ?? [])
    if (secretName && facts.secrets?.includes(secretName) === false)
      problems.set(`the secret ${secretName} of its TLS is not there`, `tutti get secrets -n ${namespace}`)
  const served = ingress.status?.loadBalancer?.ingress ?? []
  const isRefused = served.some(({ ports = [] }) => ports.some(({ error }) => error))
  const refusal = facts.portRefusal ?? 'a port of this machine could not be had'
  if (isRefused || (!served.length && facts.portRefusal)) problems.set(refusal, 'tutti up --help')
  else if (!served.length) problems.set('no controller has taken it up', `kubectl describe ${about} -n ${namespace}`)
  return [...problems].map(([cause, next]) => ({ about, cause, next: next ? [next] : [] }))
}
