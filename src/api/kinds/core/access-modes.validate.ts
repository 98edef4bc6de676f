import { forbidden, notSupported } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES = ['Block', 'Filesystem']

/** Modes that exist; the one for a single pod stands alone. */
export function checkAccessModes(modes: readonly string[], path: string, errors: Errors): void {
  for (const mode of modes) if (!MODES.includes(mode)) errors.push(notSupported(path, mode ?? '', MODES))
  const known = modes.filter(mode => MODES.includes(mode))
  if (known.includes('ReadWriteOncePod') && known.some(mode => mode !== 'ReadWriteOncePod')) {
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
  }
}
