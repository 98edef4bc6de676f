import type { Service } from '../generated/types/core-v1.ts'
import type { Evaluator } from './evaluator.ts'

const NAMES = ['count/services', 'services', 'services.nodeports', 'services.loadbalancers']

function nodePorts({ spec }: Service): number {
  const ports = spec?.ports ?? []
  if (spec?.type === 'NodePort') return ports.length
  if (spec?.type !== 'LoadBalancer') return 0
  return spec.allocateLoadBalancerNodePorts === false ? ports.filter(each => each.nodePort).length : ports.length
}

/** Services: their number, their node ports and load balancers. */
export const serviceEvaluator: Evaluator = {
  charges: ({ operation, subresource }) => subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  matching: names => names.filter(name => NAMES.includes(name)),
  usage: object => ({
    'count/services': '1',
    services: '1',
    'services.loadbalancers': (object as Service).spec?.type === 'LoadBalancer' ? '1' : '0',
    'services.nodeports': String(nodePorts(object as Service)),
  }),
  inScope: () => false,
}
