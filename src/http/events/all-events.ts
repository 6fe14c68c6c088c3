import { isBefore } from '../../jobs/events/event-cursor.ts'
import type { ProjectEvents } from '../../jobs/events/event-feed.ts'
import { type EventFilter, isSelected } from '../../jobs/events/event-filter.ts'
import { placeText, type StreamChunk } from './stream.ts'
import { progressText, streamedEventText } from './view.ts'

/**
 * Follows the events and the progress of the jobs that a filter selects among those of the feed.
 * @param resumed the cursor after which the client resumes; undefined if it starts at `cursor`
 */
export async function* followAll(
  feed: ProjectEvents,
  { cursor, resumed }: { readonly cursor: string; readonly resumed: string | undefined },
  filter: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<StreamChunk> {
  // A client that disconnects before the first event misses none if it knows where it started.
  if (resumed === undefined) yield { text: placeText(cursor) }
  let knownCursor = cursor
  let position = { cursor, progressVersion: 0 }
  while (!signal.aborted) {
    const items = await feed.read(position, signal)
    position = items.position
    const events = items.events.filter((event) => isSelected(filter, event, event.type))
    const progress = items.progress.filter((item) => isSelected(filter, item, 'progress'))
    knownCursor = events.at(-1)?.cursor ?? knownCursor
    yield {
      text: [...events.map(streamedEventText), ...progress.map(progressText)].join(''),
      // The client resumes after events that it did not select, too.
      ...(isBefore(knownCursor, items.place) && { place: items.place }),
    }
  }
}
