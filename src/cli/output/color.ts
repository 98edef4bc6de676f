/** Colours, only where the terminal wants them. */
import { styleText } from 'node:util'
import type { Io } from '../context.ts'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** Paints `text`, or returns it as it is. */
export const paint = (io: Pick<Io, 'color'>, style: Style, text: string) =>
  io.color ? styleText(style, text, { validateStream: false }) : text
