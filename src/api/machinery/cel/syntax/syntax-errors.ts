import type { Token } from './tokens.ts'

const STARTS = [
  '[',
  '{',
  '(',
  '.',
  '-',
  '!',
  'true',
  'false',
  'null',
  'float',
  'int',
  'uint',
  'string',
  'bytes',
  'ident',
]
const OPERANDS = new Set(STARTS)
const LITERALS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER"

/** What may begin an expression, as syntax errors list it; with what else could stand in this place. */
const OPERAND_SETS = {
  operand: `{'[', '{', '(', '.', '-', '!', ${LITERALS}}`,
  argument: `{'[', '{', '(', ')', '.', '-', '!', ${LITERALS}}`,
  index: `{'[', '{', '(', '.', '-', '!', '?', ${LITERALS}}`,
  element: `{'[', ']', '{', '(', '.', ',', '-', '!', '?', ${LITERALS}}`,
  entry: `{'[', '{', '}', '(', '.', ',', '-', '!', '?', ${LITERALS}}`,
}

/** Where an operand was wanted. */
export type OperandPlace = keyof typeof OPERAND_SETS

/** Whether a token begins an expression. */
export const startsOperand = (token: Token): boolean => OPERANDS.has(token.kind)

const shown = (token: Token) => `'${token.text.replaceAll('\n', '\\n')}'`

/** The sentence about a token that stands where an operand should; `extra` when what follows would have been one. */
export function notAnOperand(token: Token, place: OperandPlace, extra: boolean): string {
  return `Syntax error: ${extra ? 'extraneous' : 'mismatched'} input ${shown(token)} expecting ${OPERAND_SETS[place]}`
}

/** The sentence about a token that stands where a sign should; `extra` when the sign follows it. */
export function notTheSign(token: Token, expected: string, extra: boolean): string {
  return `Syntax error: ${extra ? 'extraneous' : 'mismatched'} input ${shown(token)} expecting ${expected}`
}

/** The sentence about a closing sign that is not there, where leaving it out is the only mistake. */
export const missingSign = (sign: string, before: Token): string =>
  `Syntax error: missing '${sign}' at ${shown(before)}`
