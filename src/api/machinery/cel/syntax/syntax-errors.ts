import type { Token } from './tokens.ts'

/** What may begin an expression, as syntax errors list it. */
const OPERAND =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
const OPERATORS =
  "'==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||', '[', CLOSE, '.', COMMA'-', '?', '+', '*', '/', '%'"

/**
 * The sentence about a token that cannot stand where it stands.
 *
 * @param expected what could have stood there; an operand when nothing is said.
 */
export function unexpected(token: Token, expected: string | undefined): string {
  const text = token.text.replaceAll('\n', '\\n')
  const verb = expected === undefined || token.kind === 'eof' ? 'mismatched' : 'extraneous'
  return `Syntax error: ${expected === undefined ? 'mismatched' : verb} input '${text}' expecting ${expected ?? OPERAND}`
}

/** What may follow a finished operand. */
export function expectedAfter(_previous: Token | undefined, close = '<EOF>'): string {
  return close === '<EOF>' ? '<EOF>' : close
}

/** All operators that may follow an operand before the given closing signs. */
export const operatorsAnd = (close: string, comma: boolean): string =>
  `{${OPERATORS.replace('CLOSE', close).replace('COMMA', comma ? "',', " : '')}}`
