/** Capabilities of an image's files (capabilities(7), "File capabilities"), as layers carry them. */

const NAME = 'SCHILY.xattr.security.capability'
const HEADER = new RegExp(`(?:^|\\n)(\\d+) ${NAME.replaceAll('.', '\\.')}=`)
/** Of the longest form, `struct vfs_ns_cap_data`. */
const LONGEST = 24

/**
 * The value of the attribute `security.capability` in a pax header; undefined where there is none. The header comes as
 * text: a value with a byte that is no ASCII, which few capabilities have, is lost, and so taken for none.
 */
export function capabilityIn(header: string): Buffer | undefined {
  const found = HEADER.exec(header)
  if (!found) return undefined
  const [whole, size = ''] = found
  const from = found.index + whole.length
  // A record is its own size, a blank, NAME=VALUE and a newline.
  const length = Number(size) - size.length - 1 - NAME.length - 1 - 1
  const value = header.slice(from, from + length)
  const isWhole = length > 0 && length <= LONGEST && value.length === length && header[from + length] === '\n'
  return isWhole && [...value].every(char => char <= '\x7f') ? Buffer.from(value, 'latin1') : undefined
}
