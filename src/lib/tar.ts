/** Writes tar archives of a few files that are in memory. */
import { Header, Pax } from 'tar'

export interface TarEntry {
  /** Relative, without a leading `./`; a folder's name ends with `/`. */
  readonly name: string
  /** Absent for folders and links. */
  readonly bytes?: Uint8Array | string
  /** 0644, and 0755 for folders, when absent. */
  readonly mode?: number
  /** Target of a symbolic link. */
  readonly link?: string
  /** Name of an earlier entry that is to be the same file. */
  readonly hardLink?: string
  /** root's when absent. */
  readonly uid?: number
  readonly gid?: number
  /** Of `security.capability`. */
  readonly capability?: Uint8Array
  /** Seconds since the epoch; 0 when absent, so that the same entries give the same bytes. */
  readonly mtime?: number
}

const BLOCK = 512

const typeOf = ({ name, link, hardLink }: TarEntry) =>
  link !== undefined ? 'SymbolicLink' : hardLink !== undefined ? 'Link' : name.endsWith('/') ? 'Directory' : 'File'

/** A header before an entry that gives it an extended attribute. */
function attribute(name: string, value: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(` SCHILY.xattr.${name}=`), value, Buffer.from('\n')])
  const digits = String(rest.length + String(rest.length + 2).length)
  const body = Buffer.concat([Buffer.from(digits), rest])
  const block = Buffer.alloc(BLOCK)
  new Header({ path: 'PaxHeader', mode: 0o644, size: body.length, type: 'ExtendedHeader' }).encode(block, 0)
  return Buffer.concat([block, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)])
}

/** The archive. */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    const { name, bytes = '', link, hardLink, mode, uid = 0, gid = 0, mtime = 0 } = entry
    const type = typeOf(entry)
    const content = type === 'File' ? Buffer.from(bytes as string) : Buffer.alloc(0)
    const fields = {
      path: name,
      mode: mode ?? (type === 'Directory' ? 0o755 : 0o644),
      uid,
      gid,
      size: content.length,
      mtime: new Date(mtime * 1000),
      type,
      linkpath: link ?? hardLink ?? '',
    } as const
    const block = Buffer.alloc(BLOCK)
    if (entry.capability) parts.push(attribute('security.capability', entry.capability))
    // What an entry's own header has no room for stands in one before it.
    if (new Header(fields).encode(block, 0)) parts.push(new Pax(fields).encode())
    parts.push(block, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK))
  }
  parts.push(Buffer.alloc(2 * BLOCK))
  return Buffer.concat(parts)
}
