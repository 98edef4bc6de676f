/** Every subresource that is not status or scale, by kind key and name. */
import type { NodeDirectory } from '../../client/node-api.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ServiceAccountTokens } from '../authentication/service-accounts/tokens.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionChain } from '../registry/admission-chain.ts'
import type { Registry } from '../registry/registry.ts'
import type { Handler } from '../request.ts'
import { admitConnection } from './admit.ts'
import { bindingHandler } from './binding.ts'
import { commandHandlers } from './command.ts'
import { evictionHandler } from './eviction.ts'
import { finalizeHandler } from './finalize.ts'
import { logHandler } from './log.ts'
import { portForwardHandler } from './port-forward.ts'
import { PROXY_METHODS, proxyHandlers } from './proxy.ts'
import { forCreators, only } from './request-parts.ts'
import { tokenHandler } from './token.ts'

export interface SubresourceDeps {
  readonly registry: Registry
  readonly tokens: ServiceAccountTokens
  readonly admission: AdmissionChain
  readonly nodes: NodeDirectory
  readonly authorizer: Authorizer
  readonly clock: Clock
  /** From 0 to under 1. */
  readonly random: () => number
}

/** Makes the handlers over a registry. */
export function subresourceHandlers(deps: SubresourceDeps): ReadonlyMap<string, Handler> {
  const { registry, tokens, admission, nodes, clock } = deps
  const { exec, attach } = commandHandlers(registry, nodes, clock)
  const admitted = (key: string, handler: Handler) => admitConnection(admission, registry, key, handler)
  const stream = (key: string, handler: Handler): [string, Handler] => [
    key,
    only(['GET', 'POST'], forCreators(deps.authorizer, admitted(key, handler))),
  ]
  const proxies = proxyHandlers(registry, nodes, deps.random).map(
    ([key, handler]) => [key, only(PROXY_METHODS, admitted(key, handler))] as const,
  )
  return new Map<string, Handler>([
    ...proxies,
    ['v1/namespaces/finalize', only(['PUT'], finalizeHandler(registry))],
    stream('v1/pods/attach', attach),
    ['v1/pods/binding', only(['POST'], bindingHandler(registry, clock, admission))],
    ['v1/pods/eviction', only(['POST'], evictionHandler(registry, clock, admission))],
    stream('v1/pods/exec', exec),
    ['v1/pods/log', only(['GET'], logHandler(registry, nodes))],
    stream('v1/pods/portforward', portForwardHandler(registry, nodes, clock)),
    ['v1/serviceaccounts/token', only(['POST'], tokenHandler({ registry, tokens, clock, admission }))],
  ])
}
