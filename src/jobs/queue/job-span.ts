import { StartedSpan } from '../../tracing/started-span.ts'
import type { JobKind } from '../job.ts'

/**
 * The creation of a job. Its attempts are below it in the trace, in whatever process and at whatever time they
 * run.
 */
export class JobSpan {
  readonly #started: StartedSpan | undefined

  constructor(kind: JobKind) {
    this.#started = StartedSpan.start(`create ${kind}`, { kind: 'producer' })
  }

  /** The span as a `traceparent` header names it; undefined while traces are off. */
  get traceparent(): string | undefined {
    return this.#started?.traceparent
  }

  /** Ends the span of a job that was created. That of a job that was not is never sent. */
  end(job: { readonly id: string; readonly source: string; readonly target: string }): void {
    if (this.#started === undefined) return
    const { span } = this.#started
    span.setAttributes({
      'record_broker.job.id': job.id,
      'record_broker.source': job.source,
      ...(job.target !== '' && { 'record_broker.target': job.target }),
    })
    span.end()
  }
}
