/**
 * Commands whose end is plain to see: `true`, `sleep 5`, `sh -c 'echo hello; exit 1'`. They end as they would if they
 * ran; of anything else nothing is assumed, and it runs on.
 */
import type { ContainerScript } from './script.ts'

const SHELLS = new Set(['sh', 'bash', 'ash', 'dash'])

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1)

/** What is known of the commands so far. */
interface Course {
  ms: number
  readonly prints: string[]
  code: number
}

const endOf = ({ ms, prints, code }: Course): ContainerScript => ({
  exitAfterMs: ms,
  exitCode: code,
  ...(prints.length > 0 && { prints }),
})

/** Follows one command; `exit` ends the whole, and undefined means that nobody can tell. */
function follow([path = '', ...args]: readonly string[], course: Course): 'next' | 'exit' | undefined {
  const [first = ''] = args
  switch (nameOf(path)) {
    case 'true':
    case ':':
      course.code = 0
      return 'next'
    case 'false':
      course.code = 1
      return 'next'
    case 'echo':
      course.prints.push(args.join(' '))
      course.code = 0
      return 'next'
    case 'sleep':
      if (!/^\d+(\.\d+)?s?$/.test(first) || args.length > 1) return undefined
      course.ms += Number.parseFloat(first) * 1000
      course.code = 0
      return 'next'
    case 'exit':
      if (first !== '' && !/^\d{1,3}$/.test(first)) return undefined
      if (first !== '') course.code = Number(first) & 255
      return 'exit'
    default:
      return undefined
  }
}

/** Words of a simple command; undefined where a shell would do more than split it. */
function words(text: string): string[] | undefined {
  const found: string[] = []
  for (const [, plain, single, double] of text.matchAll(/([^\s'"]+)|'([^']*)'|"([^"]*)"/g)) {
    const word = plain ?? single ?? double ?? ''
    if (single === undefined && /[$`\\|&<>(){}*?[\]#~]/.test(word)) return undefined
    found.push(word)
  }
  return found
}

function followShell(text: string): ContainerScript | undefined {
  const course: Course = { ms: 0, prints: [], code: 0 }
  let skip = false
  for (const part of text.split(/(;|\n|&&)/)) {
    if (part === ';' || part === '\n') skip = false
    else if (part === '&&') skip ||= course.code !== 0
    else if (part.trim() !== '' && !skip) {
      const command = words(part.trim())
      const step = command && follow(command, course)
      if (step === undefined) return undefined
      if (step === 'exit') break
    }
  }
  return endOf(course)
}

/** The life of a container with this command; undefined where it cannot be told. */
export function scriptOfCommand(command: readonly string[], args: readonly string[]): ContainerScript | undefined {
  if (command.length === 0) return undefined
  const all = [...command, ...args]
  const [program = '', flag, text] = all
  if (SHELLS.has(nameOf(program))) return flag === '-c' && text !== undefined ? followShell(text) : undefined
  const course: Course = { ms: 0, prints: [], code: 0 }
  return follow(all, course) === 'next' ? endOf(course) : undefined
}
