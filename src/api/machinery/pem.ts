/** PEM (RFC 7468) as text: which blocks there are. Pure. */

export interface PemBlock {
  /** `CERTIFICATE`, … */
  readonly label: string
  /** Whether it has headers, as old encrypted keys do. */
  readonly headers: boolean
}

const BLOCK = /^-----BEGIN ([^\r\n]+)-----[ \t]*\r?\n([^-]*)^-----END \1-----[ \t]*$/gm

/** The blocks of a text; what stands between them does not count. */
export const pemBlocks = (text: string): PemBlock[] =>
  [...text.matchAll(BLOCK)].map(([, label = '', body = '']) => ({ label, headers: body.includes(':') }))

/** The text that base64 stands for, byte by byte. '' for what is not base64. */
export function base64Text(encoded: string | undefined): string {
  try {
    return atob(encoded ?? '')
  } catch {
    return ''
  }
}
