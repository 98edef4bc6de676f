/** A host and a port as one text, as in URLs and in Go's errors: `10.0.0.1:80`, `[fd00::1]:80`. */
export const hostPort = (host: string, port: number | string): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`
