/** Who a certificate is for, as Kubernetes reads it. */
import { X509Certificate } from 'node:crypto'

/** CN is the user, each O a group. */
export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[]
}

/** The object identifier of Kubernetes' uid in a subject. */
const UID = '1.3.6.1.4.1.57683.2'

const all = (value: string | string[] | undefined) =>
  value === undefined ? [] : Array.isArray(value) ? value : [value]

const subjectOf = (bytes: Buffer) =>
  new X509Certificate(bytes).toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>

/** Reads a certificate in DER: its CN, and every O. Throws for what is not a certificate. */
export function certificateSubject(bytes: Buffer): Required<Subject> {
  const subject = subjectOf(bytes)
  return { commonName: all(subject.CN).at(-1) ?? '', organizations: all(subject.O) }
}

/** The uids in the subject of a certificate in DER: there should be one or none. */
export const certificateUids = (bytes: Buffer): string[] => all(subjectOf(bytes)[UID])
