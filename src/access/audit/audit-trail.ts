import type { Database } from '../../db/database.ts'
import type { AuditEvent } from './audit-entry.ts'
import { AuditWriter, type AuditWriterOptions } from './audit-writer.ts'
import { levelsOf } from './event-levels.ts'
import { RepeatedEvents } from './repeated-events.ts'

/** Records what callers do. Returns at once, and never fails. */
export class AuditTrail implements AsyncDisposable {
  readonly #writer: AuditWriter
  readonly #repeated: RepeatedEvents
  readonly #timer: NodeJS.Timeout

  constructor(database: Database, options: AuditWriterOptions) {
    this.#writer = new AuditWriter(database, options)
    this.#repeated = new RepeatedEvents((event, count) => this.#writer.add(event, count))
    this.#timer = setInterval(() => this.#repeated.endInterval(Date.now()), 60_000).unref()
  }

  record(event: AuditEvent): void {
    if (event.outcome === 'allowed') this.#writer.add(event, 1)
    else this.#repeated.add(event.at, levelsOf(event))
  }

  /** Writes what was recorded so far. */
  async flush(): Promise<void> {
    this.#repeated.flush()
    await this.#writer.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }
}
