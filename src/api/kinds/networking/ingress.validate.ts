/** Rules of Ingresses (k8s.io/kubernetes `pkg/apis/networking/validation`). */
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
  IngressTLS,
} from '../../generated/types/networking-v1.ts'
import { invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import {
  isDns1123Label,
  isDns1123Subdomain,
  isPortName,
  isPortNumber,
  isWildcardDns1123Subdomain,
} from '../../machinery/names.ts'
import { checkIp, ipFamily } from '../ip.ts'
import { check, checkFormat, checkSubdomain, type Errors, onObject, onStatus, when } from '../rules.ts'
import { checkReference } from './reference.validate.ts'

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const ENDINGS = ['/..', '/.']
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const NOT_AN_IP = 'must be a DNS name, not an IP address'

const hostProblems = (host: string) =>
  host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host)

function checkService({ name, port = {} }: IngressServiceBackend, path: string, errors: Errors): void {
  const at = `${path}.service`
  if (name) checkFormat(isDns1123Label(name), name, `${at}.name`, errors)
  else errors.push(required(`${at}.name`))
  if (port.name && port.number) errors.push(invalid(path, '', 'cannot set both port name & port number'))
  else if (port.name) checkFormat(isPortName(port.name), port.name, `${at}.port.name`, errors)
  else if (port.number) checkFormat(isPortNumber(port.number), port.number, `${at}.port.number`, errors)
  else errors.push(required(path, 'port name or number is required'))
}

function checkBackend({ resource, service }: IngressBackend, path: string, errors: Errors): void {
  if (resource && service) errors.push(invalid(path, '', 'cannot set both resource and service backends'))
  else if (resource) checkReference(resource, `${path}.resource`, errors)
  else if (service) checkService(service, path, errors)
  else errors.push(invalid(path, '', 'resource or service backend is required'))
}

function checkPath({ path: place = '', pathType, backend }: HTTPIngressPath, path: string, errors: Errors): void {
  if (pathType === undefined) return void errors.push(required(`${path}.pathType`, 'pathType must be specified'))
  const at = `${path}.path`
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(`${path}.pathType`, pathType, PATH_TYPES))
  else if (pathType !== 'ImplementationSpecific' || place) {
    if (!place.startsWith('/')) errors.push(invalid(at, place, 'must be an absolute path'))
  }
  if (pathType === 'Exact' || pathType === 'Prefix') {
    for (const part of SEQUENCES)
      if (place.includes(part)) errors.push(invalid(at, place, `must not contain '${part}'`))
    for (const part of ENDINGS) if (place.endsWith(part)) errors.push(invalid(at, place, `cannot end with '${part}'`))
  }
  checkBackend(backend ?? {}, `${path}.backend`, errors)
}

function checkRule({ host, http }: IngressRule, path: string, errors: Errors): void {
  if (host) {
    if (ipFamily(host)) errors.push(invalid(`${path}.host`, host, NOT_AN_IP))
    checkFormat(hostProblems(host), host, `${path}.host`, errors)
  }
  if (!http) return
  if (!http.paths?.length) errors.push(required(`${path}.http.paths`))
  for (const [index, one] of (http.paths ?? []).entries()) checkPath(one, `${path}.http.paths[${index}]`, errors)
}

function checkTls({ hosts = [], secretName }: IngressTLS, lenient: boolean, path: string, errors: Errors): void {
  for (const [index, host] of hosts.entries()) {
    checkFormat(hostProblems(host), host, `${path}.hosts[${index}]`, errors)
  }
  if (secretName && !lenient) checkSubdomain(secretName, `${path}.secretName`, errors)
}

const badSecret = ({ secretName }: IngressTLS) => Boolean(secretName && isDns1123Subdomain(secretName).length)

function checkSpec(spec: IngressSpec, errors: Errors, old: IngressSpec | undefined): void {
  const { defaultBackend, rules = [], tls = [], ingressClassName } = spec
  if (!rules.length && !defaultBackend) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
  }
  if (defaultBackend) checkBackend(defaultBackend, 'spec.defaultBackend', errors)
  for (const [index, rule] of rules.entries()) checkRule(rule, `spec.rules[${index}]`, errors)
  // Names that stood there before they were looked at may stay.
  const lenient = old?.tls?.some(badSecret) ?? false
  for (const [index, one] of tls.entries()) checkTls(one, lenient, `spec.tls[${index}]`, errors)
  if (ingressClassName !== undefined) checkSubdomain(ingressClassName, 'spec.ingressClassName', errors)
}

export const ingressRules: readonly Rule<Ingress>[] = [
  onObject(check<Ingress>(({ spec }, errors, old) => checkSpec(spec ?? {}, errors, old?.spec))),
  when<Ingress>(
    (_next, old) => old === undefined,
    check(({ metadata, spec }, errors) => {
      const annotation = metadata?.annotations?.[CLASS_ANNOTATION]
      const name = spec?.ingressClassName
      if (annotation === undefined || name === undefined || annotation === name) return
      const message = 'must match `ingressClassName` when both are specified'
      errors.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotation, message))
    }),
  ),
  onStatus(
    check<Ingress>(({ status }, errors, old) => {
      const before = old?.status?.loadBalancer?.ingress?.map(({ ip = '' }) => ip)
      for (const [index, { ip, hostname }] of (status?.loadBalancer?.ingress ?? []).entries()) {
        const path = `status.loadBalancer.ingress[${index}]`
        if (ip) checkIp(ip, `${path}.ip`, errors, { before })
        if (!hostname) continue
        checkSubdomain(hostname, `${path}.hostname`, errors)
        if (ipFamily(hostname)) errors.push(invalid(`${path}.hostname`, hostname, NOT_AN_IP))
      }
    }),
  ),
]
