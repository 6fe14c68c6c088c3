import type { StopSignal } from '../app/stop-signals.ts'

/** A command that was told to stop. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: StopSignal
  constructor(signal: StopSignal) {
    super('interrupted')
    this.signal = signal
  }
}

/** A command that cannot be done as it was given. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
