/** Addresses of a load balancer as a table cell. */

/** Addresses or host names, sorted; cut at 16 characters, as a table that is not wide does. */
export function loadBalancerAddresses(ingress: readonly { ip?: string; hostname?: string }[] | undefined): string {
  const names = new Set(ingress?.map(({ ip, hostname }) => ip || hostname || '').filter(Boolean))
  const joined = [...names].sort().join(',')
  return joined.length > 16 ? `${joined.slice(0, 13)}...` : joined
}
