import { LayerError } from '../../tar/layer-error.ts'
import { quoteName } from '../../tar/names.ts'

/**
 * Creates the error for an entry of the table of contents that fails verification. `problem` continues its
 * name.
 */
export function verificationFailed(name: string, problem: string): LayerError {
  return new LayerError('VERIFICATION_FAILED', `${quoteName(name)} ${problem}`, { entry: name })
}
