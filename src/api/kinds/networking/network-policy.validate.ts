/** Rules of NetworkPolicies (k8s.io/kubernetes `pkg/apis/networking/validation`). */
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicySpec,
} from '../../generated/types/networking-v1.ts'
import { forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { validateLabelSelector } from '../../machinery/label-selector.ts'
import { isPortName, isPortNumber } from '../../machinery/names.ts'
import { type AddressOptions, blockFamily, checkCidr, isInside } from '../ip.ts'
import { check, checkFormat, checkSupported, type Errors } from '../rules.ts'

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']
const TYPES = ['Ingress', 'Egress']

function checkEndPort(port: NetworkPolicyPort['port'], endPort: number, path: string, errors: Errors): void {
  if (port === undefined) errors.push(invalid(path, endPort, 'may not be specified when `port` is not specified'))
  else if (typeof port === 'string') {
    errors.push(invalid(path, endPort, 'may not be specified when `port` is non-numeric'))
  } else {
    if (endPort < port) errors.push(invalid(path, port, 'must be greater than or equal to `port`'))
    checkFormat(isPortNumber(endPort), endPort, path, errors)
  }
}

function checkPort({ protocol, port, endPort }: NetworkPolicyPort, path: string, errors: Errors): void {
  checkSupported(protocol, PROTOCOLS, `${path}.protocol`, errors)
  const end = () => endPort !== undefined && checkEndPort(port, endPort, `${path}.endPort`, errors)
  if (typeof port === 'number') checkFormat(isPortNumber(port), port, `${path}.port`, errors)
  end()
  if (typeof port === 'string') checkFormat(isPortName(port), port, `${path}.port`, errors)
}

function checkBlock({ cidr, except = [] }: IPBlock, options: AddressOptions, path: string, errors: Errors): void {
  if (!cidr) return void errors.push(required(`${path}.cidr`))
  checkCidr(cidr, `${path}.cidr`, errors, options)
  if (!blockFamily(cidr)) return
  for (const [index, one] of except.entries()) {
    const at = `${path}.except[${index}]`
    checkCidr(one, at, errors, options)
    if (blockFamily(one) && !isInside(one, cidr)) errors.push(invalid(at, one, 'must be a strict subset of `cidr`'))
  }
}

function checkPeer(peer: NetworkPolicyPeer, options: AddressOptions, path: string, errors: Errors): void {
  const { podSelector, namespaceSelector, ipBlock } = peer
  if (podSelector) errors.push(...validateLabelSelector(podSelector, `${path}.podSelector`))
  if (namespaceSelector) errors.push(...validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`))
  if (ipBlock) checkBlock(ipBlock, options, `${path}.ipBlock`, errors)
  if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(path, 'must specify a peer'))
  else if (ipBlock && (podSelector || namespaceSelector)) {
    errors.push(forbidden(path, 'may not specify both ipBlock and another peer'))
  }
}

/** What both directions have, and what is said about them. */
interface Direction {
  readonly ports: readonly NetworkPolicyPort[]
  readonly peers: readonly NetworkPolicyPeer[]
  readonly path: string
  /** Path of the peers. */
  readonly at: string
}

/** The rules of a policy, those of ingress first. */
export const directionsOf = ({ ingress = [], egress = [] }: NetworkPolicySpec): readonly Direction[] => [
  ...ingress.map(({ ports = [], from = [] }, index) => {
    const path = `spec.ingress[${index}]`
    return { ports, peers: from, path, at: `${path}.from` }
  }),
  ...egress.map(({ ports = [], to = [] }, index) => {
    const path = `spec.egress[${index}]`
    return { ports, peers: to, path, at: `${path}.to` }
  }),
]

/** Every block that a policy names. */
const blocksOf = (spec: NetworkPolicySpec) =>
  directionsOf(spec).flatMap(({ peers }) =>
    peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : [])),
  )

function checkTypes(types: readonly string[], errors: Errors): void {
  if (types.length > TYPES.length) {
    errors.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'))
    return
  }
  for (const [index, type] of types.entries()) {
    if (!TYPES.includes(type)) errors.push(notSupported(`spec.policyTypes[${index}]`, type, TYPES))
  }
}

export const networkPolicyRules: readonly Rule<NetworkPolicy>[] = [
  check<NetworkPolicy>(({ spec = {} as NetworkPolicySpec }, errors, old) => {
    const options = { before: old?.spec && blocksOf(old.spec) }
    if (spec.podSelector) errors.push(...validateLabelSelector(spec.podSelector, 'spec.podSelector'))
    for (const { ports, peers, path, at } of directionsOf(spec)) {
      for (const [index, port] of ports.entries()) checkPort(port, `${path}.ports[${index}]`, errors)
      for (const [index, peer] of peers.entries()) checkPeer(peer, options, `${at}[${index}]`, errors)
    }
    checkTypes(spec.policyTypes ?? [], errors)
  }),
]
