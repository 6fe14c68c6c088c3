import { loadClientSettings } from '../../app/config/client-settings.ts'
import { LineProgress } from './line-progress.ts'
import { type Progress, SilentProgress, terminalTraits } from './progress.ts'
import { TerminalProgress } from './terminal-progress.ts'

/** The option that turns progress off, for commander. */
export const QUIET_OPTION = [
  '-q, --quiet',
  'show no progress and no warnings, and print only the names of the result',
] as const

/** Opens the progress of a command: bars on a terminal, lines elsewhere, nothing with `--quiet`. */
export function openProgress({ quiet }: { readonly quiet?: boolean | undefined }): Progress {
  if (quiet) return new SilentProgress()
  const { isInteractive, hasColors } = terminalTraits(process.stderr, loadClientSettings().terminal)
  return isInteractive ? new TerminalProgress(process.stderr, hasColors) : new LineProgress(process.stderr)
}
