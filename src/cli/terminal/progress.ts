import type { WriteStream } from 'node:tty'
import type { ProgressView } from './progress-view.ts'

/** Shows on standard error how far a command is. Dispose of it before the result is printed. */
export interface Progress extends Disposable {
  /** Shows what `view` returns, again and again, until another view or the end. */
  follow(view: () => ProgressView): void
  /** Writes a line that stays, such as a warning. */
  note(line: string): void
}

/** What the terminal behind standard error can show. */
export type TerminalTraits = {
  /** Whether standard error is a terminal that can move its cursor. */
  readonly isInteractive: boolean
  readonly hasColors: boolean
}

/** @param environment `TERM`, `NO_COLOR` */
export function terminalTraits(
  stream: Pick<WriteStream, 'isTTY'>,
  environment: Readonly<Record<string, string | undefined>>,
): TerminalTraits {
  const isInteractive = stream.isTTY === true && environment.TERM !== 'dumb'
  return { isInteractive, hasColors: isInteractive && (environment.NO_COLOR ?? '') === '' }
}

/** Shows nothing: for `--quiet`. */
export class SilentProgress implements Progress {
  follow(): void {}
  note(): void {}
  [Symbol.dispose](): void {}
}
