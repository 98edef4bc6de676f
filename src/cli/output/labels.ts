import type { Io } from '../context.ts'
import type { Instance } from '../instance.ts'
import { paint } from './color.ts'

/** What begins a line of a report, all of one width. */
export const labelsOf = (io: Io) => (text: string) => paint(io, 'dim', text.padEnd(11))

/** Lines of what a machine cannot give. */
export const noteLines = (io: Io, { network, notes }: Pick<Instance, 'network' | 'notes'>): string[] =>
  [...network.notes, ...notes].map(note => `${labelsOf(io)('note')}${note}`)
