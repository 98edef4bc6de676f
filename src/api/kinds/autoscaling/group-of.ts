/** The group of a reference by `group/version`; undefined where it is neither that nor a version. */
export function groupOf(apiVersion: string): string | undefined {
  const parts = apiVersion.split('/')
  if (parts.length > 2) return undefined
  return parts.length === 2 ? parts[0] : ''
}
