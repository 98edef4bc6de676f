/**
 * The account of the traffic of a node on another machine, beside the node's own: as kube-proxy has one elsewhere. It
 * sees services, policies and all pods, which the node's account does not, and writes nothing but events.
 */

/** Its group, and the beginning of its names: `tutti:node-traffic:NAME`. */
export const NODE_TRAFFIC = 'tutti:node-traffic'

/** The account of a node's traffic. */
export const nodeTrafficUser = (nodeName: string): string => `${NODE_TRAFFIC}:${nodeName}`
