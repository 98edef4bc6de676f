/**
 * Variables out of a file that an init container left in an emptyDir (API doc: FileKeySelector, KEP-3721). The format is
 * a strict part of the shell's: `NAME='value'`, with comments, and values of several lines.
 */
import { closeSync, fstatSync, openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

/** Larger files are not read. */
const MAX_BYTES = 1 << 20

const invalid = (line: number, why: string) => new Error(`invalid environment variable format at line ${line}: ${why}`)

interface Reader {
  readonly lines: readonly string[]
  /** The line that is read next, from 0. */
  at: number
}

/** The value that begins after its opening quote; `rest` is what stands on that line. */
function quoted(reader: Reader, first: string): string {
  const began = reader.at
  const parts: string[] = []
  for (let rest: string | undefined = first; rest !== undefined; rest = reader.lines[reader.at++]) {
    const end = rest.indexOf("'")
    if (end < 0) {
      parts.push(rest)
      continue
    }
    const tail = rest.slice(end + 1).trimStart()
    if (tail !== '' && !tail.startsWith('#')) throw invalid(reader.at, 'unexpected content after closing quote')
    return [...parts, rest.slice(0, end)].join('\n')
  }
  throw new Error(`invalid environment variable format starting at line ${began}: unclosed single quote`)
}

/** The value of a variable in such a text; '' where it has none. Throws an `Error` with the line that is wrong before it. */
export function valueIn(text: string, key: string): string {
  const reader: Reader = { lines: text.replace(/\n$/, '').split(/\r?\n/), at: 0 }
  while (reader.at < reader.lines.length) {
    const line = reader.lines[reader.at++]!.replace(/^[ \t]+/, '')
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    if (equals < 0) throw invalid(reader.at, "missing '='")
    const name = line.slice(0, equals)
    if (name.trim() === '') throw invalid(reader.at, 'empty variable name')
    if (/[ \t]$/.test(name)) throw invalid(reader.at, "whitespace before '=' is not allowed")
    const value = line.slice(equals + 1)
    // As a shell has it: the variable is empty, and what follows is something else.
    if (/^[ \t]/.test(value)) {
      if (name === key) return ''
      continue
    }
    if (!value.startsWith("'")) throw invalid(reader.at, 'value must be enclosed in single quotes')
    const found = quoted(reader, value.slice(1))
    if (name === key) return found
  }
  return ''
}

/** Reads a file of a volume, and never one outside, wherever links in the volume lead. Throws where it cannot be read. */
export function readInside(volume: string, path: string): string {
  const file = openSync(join(volume, path), 'r')
  try {
    const real = readlinkSync(`/proc/self/fd/${file}`)
    if (!real.startsWith(`${realpathSync(volume)}/`)) throw new Error(`${path} leads out of the volume`)
    if (!fstatSync(file).isFile() || fstatSync(file).size > MAX_BYTES)
      throw new Error(`${path} is no file of variables`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}
