/** Who a certificate is for, as Kubernetes reads it. */
import { X509Certificate } from 'node:crypto'

/** CN is the user, each O a group. */
export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[]
}

/** Reads a certificate in DER: its CN, and every O. Throws for what is not a certificate. */
export function certificateSubject(bytes: Buffer): Required<Subject> {
  const subject = new X509Certificate(bytes).toLegacyObject().subject as unknown as Record<
    string,
    string | string[] | undefined
  >
  const all = (value: string | string[] | undefined) =>
    value === undefined ? [] : Array.isArray(value) ? value : [value]
  return { commonName: all(subject.CN).at(-1) ?? '', organizations: all(subject.O) }
}
