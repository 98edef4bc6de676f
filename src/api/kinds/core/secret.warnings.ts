/** Warnings about Secrets: certificates and keys that no server will take (the words of Go's crypto/tls). */
import type { Secret } from '../../generated/types/core-v1.ts'
import { base64Text, pemBlocks } from '../../machinery/pem.ts'

const CERTIFICATE = 'CERTIFICATE'
const isKey = (label: string) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY')
const skipped = (labels: readonly string[]) => `after skipping PEM blocks of the following types: [${labels.join(' ')}]`

function certificateProblem(labels: readonly string[]): string | undefined {
  if (labels.includes(CERTIFICATE)) return undefined
  if (!labels.length) return 'failed to find any PEM data in certificate input'
  if (labels.length === 1 && labels[0]!.endsWith('PRIVATE KEY')) {
    return 'failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
  }
  return `failed to find "CERTIFICATE" PEM block in certificate input ${skipped(labels)}`
}

function keyProblem(labels: readonly string[]): string | undefined {
  if (labels.some(isKey)) return undefined
  if (!labels.length) return 'failed to find any PEM data in key input'
  if (labels.length === 1 && labels[0] === CERTIFICATE) {
    return 'found a certificate rather than a key in the PEM for the private key'
  }
  return `failed to find PEM block with type ending in "PRIVATE KEY" in key input ${skipped(labels)}`
}

/** Whether a key fits its certificate is not looked at. */
export function secretWarnings({ type, data }: Secret): string[] {
  if (type !== 'kubernetes.io/tls') return []
  const labels = (key: string) => pemBlocks(base64Text(data?.[key])).map(({ label }) => label)
  const problem = certificateProblem(labels('tls.crt')) ?? keyProblem(labels('tls.key'))
  return problem ? [`tls: ${problem}`] : []
}
