/**
 * Built-in groups that in Kubernetes another server brings (metrics-server). One that is registered for such a group
 * serves it in the place of this server, and what is said of all versions of the API is not meant of them.
 */
export const FOREIGN_GROUPS: ReadonlySet<string> = new Set(['metrics.k8s.io'])
