/**
 * What the agent needs to know of services when it starts a pod. `network/` provides it (`startNetwork().serviceEnv`);
 * `cmd/` puts the two together.
 *
 * Gives the variables of a new container in a pod of `namespace`: `{SVC}_SERVICE_HOST`, `{SVC}_SERVICE_PORT`, … of
 * every service of that namespace, and of `kubernetes` in `default`. With `links` false (spec.enableServiceLinks)
 * only those of `kubernetes`. They come before the container's own `env`, which may refer to them and override them.
 * In portable mode host and port are those of the proxy on the machine's loopback.
 */
export type ServiceEnvironment = (namespace: string, links: boolean) => Readonly<Record<string, string>>
