import type { Database } from '../../db/database.ts'
import type { AuditEvent } from './audit-entry.ts'
import { AuditWriter, type AuditWriterOptions } from './audit-writer.ts'
import { RepeatedEvents } from './repeated-events.ts'

/** Kinds of unsuccessful events in an interval: of identified callers, and of all others. */
const MAX_KINDS_OF_CALLERS = 1000
const MAX_KINDS_OF_OTHERS = 100

/** Records what callers do. Returns at once, and never fails. */
export class AuditTrail implements AsyncDisposable {
  readonly #writer: AuditWriter
  readonly #byCallers: RepeatedEvents
  readonly #byOthers: RepeatedEvents
  readonly #timer: NodeJS.Timeout

  constructor(database: Database, options: AuditWriterOptions) {
    this.#writer = new AuditWriter(database, options)
    const emit = (event: AuditEvent, count: number) => this.#writer.add(event, count)
    this.#byCallers = new RepeatedEvents(MAX_KINDS_OF_CALLERS, emit)
    this.#byOthers = new RepeatedEvents(MAX_KINDS_OF_OTHERS, emit)
    const endIntervals = () => {
      for (const repeated of [this.#byCallers, this.#byOthers]) repeated.endInterval(Date.now())
    }
    this.#timer = setInterval(endIntervals, 60_000).unref()
  }

  record(event: AuditEvent): void {
    const { kind, subject, issuer, tokenId, project, action, status, code, address } = event
    if (event.outcome === 'allowed') {
      this.#writer.add(event, 1)
      return
    }
    const who = [kind, subject, issuer, tokenId, project, address]
    if (kind === 'anonymous') {
      this.#byOthers.add(JSON.stringify([...who, action, status, code]), event)
    } else {
      const what = [action, status, code, event.repository, event.resource]
      this.#byCallers.add(JSON.stringify([...who, ...what]), event)
    }
  }

  /** Writes what was recorded so far. */
  async flush(): Promise<void> {
    this.#byCallers.flush()
    this.#byOthers.flush()
    await this.#writer.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }
}
