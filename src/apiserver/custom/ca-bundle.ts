import { X509Certificate } from 'node:crypto'

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** Whether base64 of PEM holds at least one certificate, and nothing that is none. */
export function isCaBundle(base64: string): boolean {
  const blocks = Buffer.from(base64, 'base64').toString('latin1').match(BLOCK)
  if (!blocks) return false
  try {
    for (const block of blocks) new X509Certificate(block)
    return true
  } catch {
    return false
  }
}
