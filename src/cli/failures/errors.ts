import type { StopSignal } from '../../app/stop-signals.ts'

/** A signal stopped the command. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly signal: StopSignal
  /** @param message what goes on without the command, and how to stop that */
  constructor(signal: StopSignal, message = 'interrupted') {
    super(message)
    this.signal = signal
  }
}

/** The kinds of failures that scripts tell apart by the exit status. */
export type FailureKind = 'failed' | 'usage' | 'refused' | 'unauthorized' | 'unavailable'

/** A command failed. The message names the argument, the file or the server, and what helps. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly kind: FailureKind
  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}
