import type { JobEvent, StreamedJobEvent } from '../../jobs/events/event-log.ts'
import type { RunningProgress } from '../../jobs/events/running-progress.ts'
import { isoTime } from '../parameters.ts'
import { formatEvent } from './stream.ts'

/** An event in the stream of its own job. */
export function jobEventText(event: JobEvent): string {
  return formatEvent(event.type, eventData(event), String(event.seq))
}

/** Texts by event or progress: all streams of this process send the same objects. */
const texts = new WeakMap<StreamedJobEvent | RunningProgress, string>()

/** An event in the stream of all jobs. */
export function streamedEventText(event: StreamedJobEvent): string {
  return remember(event, () => {
    const { cursor, type, project, kind, source, target } = event
    return formatEvent(type, { ...eventData(event), project, kind, source, target }, cursor)
  })
}

/** The progress of a job in the stream of all jobs. It has no id, because it is not sent again. */
export function progressText(item: RunningProgress): string {
  return remember(item, () => {
    const { jobId, project, kind, source, target, progress } = item
    return formatEvent('progress', { jobId, project, kind, source, target, progress })
  })
}

function remember<Item extends StreamedJobEvent | RunningProgress>(item: Item, format: () => string): string {
  const text = texts.get(item) ?? format()
  texts.set(item, text)
  return text
}

function eventData({ jobId, seq, createdAt, data }: JobEvent) {
  const { owner, ...fields } = data
  return {
    jobId,
    seq,
    createdAt: isoTime(createdAt),
    ...fields,
    ...(owner !== undefined && { worker: owner }),
  }
}
