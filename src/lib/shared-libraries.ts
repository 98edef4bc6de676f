/** What a program needs of the machine to be loaded (ELF-64, little-endian; ld.so(8)). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const HEADER = 64
const PT_INTERP = 3

/** The loader that a program asks for; undefined for one that needs none, or is no such program. */
export function loaderOf(program: string): string | undefined {
  const bytes = readFileSync(program)
  if (bytes.length < HEADER || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    return undefined
  const table = Number(bytes.readBigUInt64LE(32))
  const size = bytes.readUInt16LE(54)
  for (let at = table; at < table + size * bytes.readUInt16LE(56); at += size) {
    if (bytes.readUInt32LE(at) !== PT_INTERP) continue
    const from = Number(bytes.readBigUInt64LE(at + 8))
    const length = Number(bytes.readBigUInt64LE(at + 32))
    return bytes.toString('latin1', from, from + length - 1)
  }
  return undefined
}

/** The loader and the libraries that it would load, by the paths that the program knows them by; none for a static one. */
export function sharedLibraries(program: string): string[] {
  const loader = loaderOf(program)
  if (!loader) return []
  const lines = execFileSync(loader, ['--list', program], { encoding: 'utf8', env: {} }).split('\n')
  return [loader, ...lines.map(line => /=> (\/\S+)/.exec(line)?.[1]).filter(path => path !== undefined)]
}
