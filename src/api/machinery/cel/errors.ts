/** One thing that is wrong with an expression, and where. */
export interface Issue {
  /** Offset in UTF-16 units; -1 when the error is about the expression as a whole. */
  readonly at: number
  readonly message: string
}

/** Thrown by evaluation. Not an `Error`: it is a value of the language, made often, and needs no stack. */
export class CelError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
  toString(): string {
    return this.message
  }
}

/** Thrown when an evaluation costs more than it may; no operator of CEL absorbs it. */
export class CostExceeded {
  readonly message = 'operation cancelled: actual cost limit exceeded'
}

/** Ends an evaluation with an error of the language. */
export function fail(message: string): never {
  throw new CelError(message)
}

const MAX_ISSUES = 100
const MAX_SNIPPET = 16_384

/**
 * The issues as a compiler prints them, each with its line and a caret under the place:
 * `ERROR: <input>:1:3: undeclared reference to 'x' (in container '')`. Ordered by place.
 */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  const lines = source.split('\n')
  const placed = issues
    .slice(0, MAX_ISSUES)
    .map(issue => ({ issue, place: placeOf(source, issue.at) }))
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ issue, place }) => formatIssue(issue.message, place, source === '' ? undefined : lines[place.line - 1]))
  if (issues.length > MAX_ISSUES) placed.push(`${issues.length - MAX_ISSUES} more errors were truncated`)
  return placed.join('\n')
}

interface Place {
  /** From 1; -1 when there is none. */
  readonly line: number
  /** In code points, from 0. */
  readonly column: number
}

function placeOf(source: string, at: number): Place {
  if (at < 0) return { line: -1, column: -1 }
  // An empty text has no first character.
  if (source === '') return { line: 1, column: -1 }
  const before = source.slice(0, at)
  const start = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: [...before.slice(start)].length }
}

function formatIssue(message: string, place: Place, line: string | undefined): string {
  const head = `ERROR: <input>:${place.line}:${place.column + 1}: ${message}`
  if (line === undefined) return head
  const characters = [...line.replaceAll('\t', ' ')]
  if (characters.length > MAX_SNIPPET) return head
  const wide = (character: string | undefined) => character !== undefined && (character.codePointAt(0) ?? 0) > 0x7f
  let caret = ''
  for (const character of characters.slice(0, place.column)) caret += wide(character) ? '\uff0e' : '.'
  caret += wide(characters[place.column]) ? '\uff3e' : '^'
  return `${head}\n | ${characters.join('')}\n | ${caret}`
}
