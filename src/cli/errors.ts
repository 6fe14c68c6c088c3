import type { StopSignal } from '../app/stop-signals.ts'

/** A signal stopped the command. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly signal: StopSignal
  constructor(signal: StopSignal) {
    super('interrupted')
    this.signal = signal
  }
}

/** The command cannot run with these arguments, or the broker refused it. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
