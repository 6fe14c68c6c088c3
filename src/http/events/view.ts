import type { JobEvent, StreamedJobEvent } from '../../jobs/events/event-log.ts'
import { isoTime } from '../parameters.ts'
import type { StreamEvent } from './stream.ts'

/** An event in the stream of its own job. */
export function jobEventView(event: JobEvent): StreamEvent {
  return { id: String(event.seq), event: event.type, data: eventData(event) }
}

/** An event in the stream of all jobs. */
export function streamedEventView(event: StreamedJobEvent): StreamEvent {
  const { cursor, type, kind, source, target } = event
  return { id: cursor, event: type, data: { ...eventData(event), kind, source, target } }
}

function eventData({ jobId, seq, createdAt, data }: JobEvent) {
  return { job: jobId, seq, at: isoTime(createdAt), ...data }
}
