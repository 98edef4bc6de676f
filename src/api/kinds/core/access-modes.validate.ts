import { forbidden } from '../../machinery/field-error.ts'
import { checkSupported, type Errors } from '../rules.ts'

const MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES = ['Block', 'Filesystem']

/** Modes that exist; the one for a single pod stands alone. */
export function checkAccessModes(modes: readonly string[], path: string, errors: Errors): void {
  for (const mode of modes) checkSupported(mode ?? '', MODES, path, errors)
  const known = modes.filter(mode => MODES.includes(mode))
  if (known.includes('ReadWriteOncePod') && known.some(mode => mode !== 'ReadWriteOncePod')) {
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'))
  }
}
