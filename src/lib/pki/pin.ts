import { createHash, X509Certificate } from 'node:crypto'

/** The pin of a CA in PEM, as kubeadm has it: SHA-256 of its public key, as in `sha256:…`. Throws for what is no certificate. */
export const pinOf = (pem: string): string =>
  `sha256:${createHash('sha256')
    .update(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')}`
