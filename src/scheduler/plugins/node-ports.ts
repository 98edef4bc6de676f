import { NO_FREE_PORTS } from '../../api/machinery/host-ports.ts'
import type { Plugin } from '../plugin.ts'

/** A host port can be had once per node. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  weight: 0,
  prepare({ hostPorts }, { snapshot }) {
    if (hostPorts.length === 0) return undefined
    return {
      filter: slot => (snapshot.portTaken(slot, hostPorts) ? NO_FREE_PORTS : undefined),
    }
  },
  wokenBy: ['node', 'pod-gone'],
  mayHelp(event, { hostPorts }) {
    if (event.type === 'node') return event.previous === undefined
    return event.type === 'pod-gone' && event.pod.hostPorts.some(has => hostPorts.some(({ port }) => port === has.port))
  },
}
