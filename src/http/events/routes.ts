import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type EventLog, InvalidCursorError, type StreamedJobEvent } from '../../jobs/events/event-log.ts'
import { isFinished, type Job } from '../../jobs/job.ts'
import { type JobResource, jobNotFound } from '../jobs/job-resource.ts'
import { IdParams } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { type StreamEvent, sendEvents } from './stream.ts'
import { jobEventView, streamedEventView } from './view.ts'

const eventStream = {
  description: 'A stream of events.',
  content: {
    'text/event-stream': { schema: z.string().describe('Server-sent events. The `data` of each is JSON.') },
  },
}
const LastEventId = z.object({
  'last-event-id': z
    .string()
    .max(100)
    .optional()
    .describe('The id of the last event that the client received. The stream continues after it.'),
})

/** Streams the events of one job. */
export function jobEventRoutes(
  { jobs, events }: Pick<Services, 'jobs' | 'events'>,
  resource: JobResource,
): FastifyPluginAsyncZod {
  const { kind, path, tag, name } = resource
  return async (app) => {
    app.get(
      `${path}/:id/events`,
      {
        config: { hasOwnDeadline: true },
        schema: {
          tags: [tag],
          operationId: `stream${name}Events`,
          summary: `Stream the events of a ${kind}`,
          description: `Starts with the first event of the ${kind}, or after \`Last-Event-ID\`. Events of type \`progress\` have no id. The stream ends when the ${kind} has finished; a client that reconnects after that gets 204 and stops.`,
          params: IdParams,
          headers: LastEventId,
          response: {
            200: eventStream,
            204: z.null().describe('There are no more events.'),
            ...problemResponses(400, 404, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const lastSeq = Number(request.headers['last-event-id'] ?? 0)
        if (!Number.isSafeInteger(lastSeq) || lastSeq < 0) throw new InvalidCursorError()
        const job = await jobs.getStatus(kind, id)
        if (!job) throw jobNotFound(resource, id)
        if (isFinished(job.state) && lastSeq >= job.eventCount) return reply.code(204).send(null)
        const source = (signal: AbortSignal) => followJob({ jobs, events }, job, lastSeq, signal)
        await sendEvents(reply, source, app.shutdownSignal)
        return reply
      },
    )
  }
}

/** Streams the events of all jobs. */
export function eventRoutes(events: Services['events']): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/events',
      {
        config: { hasOwnDeadline: true },
        schema: {
          tags: ['service'],
          operationId: 'streamEvents',
          summary: 'Stream the events of all jobs',
          description: 'Starts with new events, or after `Last-Event-ID`. Events are stored for 30 days.',
          headers: LastEventId,
          response: { 200: eventStream, ...problemResponses(400, 503) },
        },
      },
      async (request, reply) => {
        const cursor = request.headers['last-event-id'] ?? (await events.latestCursor())
        // Read before the response starts: an invalid cursor is a 400.
        const firstPage = await events.listAll(cursor)
        const source = (signal: AbortSignal) => followAll(events, cursor, firstPage, signal)
        await sendEvents(reply, source, app.shutdownSignal)
        return reply
      },
    )
  }
}

async function* followJob(
  { jobs, events }: Pick<Services, 'jobs' | 'events'>,
  { kind, id }: Job,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let lastSeq = afterSeq
  let lastProgress = ''
  while (!signal.aborted) {
    // Read the job before its events: if it has finished, all of its events exist.
    const job = await jobs.getStatus(kind, id)
    for (const event of await events.listForJob(id, lastSeq)) {
      lastSeq = event.seq
      yield jobEventView(event)
    }
    if (!job || (isFinished(job.state) && lastSeq >= job.eventCount)) return
    const progress = JSON.stringify(job.progress ?? null)
    if (job.state === 'running' && job.progress !== undefined && progress !== lastProgress) {
      lastProgress = progress
      yield { event: 'progress', data: job.progress }
    }
    if (lastSeq >= job.eventCount) await events.wait(id, signal)
  }
}

async function* followAll(
  events: EventLog,
  afterCursor: string,
  firstPage: readonly StreamedJobEvent[],
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let cursor = afterCursor
  let page = firstPage
  while (!signal.aborted) {
    for (const event of page) {
      cursor = event.cursor
      yield streamedEventView(event)
    }
    if (page.length === 0) await events.wait(undefined, signal)
    page = await events.listAll(cursor)
  }
}
