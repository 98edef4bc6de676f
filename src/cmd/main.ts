/** The entry, begun by `start.mjs`: loads the one part of the program that was asked for. */
import { completePath } from '../lib/system-program.ts'

// nft and ip lie where the shells of many ordinary users do not look.
process.env.PATH = completePath(process.env.PATH ?? '')
const [, , verb, ...rest] = process.argv
if (verb === 'daemon') {
  const { runDaemon } = await import('./daemon.ts')
  await runDaemon(rest)
} else {
  const { runCommandLine } = await import('./command-line.ts')
  process.exitCode = await runCommandLine(process.argv.slice(2))
}
