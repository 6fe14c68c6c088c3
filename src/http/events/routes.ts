import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type AnyJobEvent, CursorError, type EventLog, type JobEvent } from '../../jobs/events/event-log.ts'
import { isOver, type Job } from '../../jobs/job.ts'
import type { JobStore } from '../../jobs/queue/store.ts'
import { type JobResource, jobNotFound } from '../jobs/resource.ts'
import { Id, isoTime } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { type StreamEvent, sendEvents } from './stream.ts'

const EventStream = z.string().describe('Server-sent events; `data` is JSON.')
const stream = {
  description: 'Events, as they happen.',
  content: { 'text/event-stream': { schema: EventStream } },
}
const LastEventId = z.object({
  'last-event-id': z
    .string()
    .max(100)
    .optional()
    .describe('The last event that was seen: those after it follow.'),
})

/** What happens to one job, of whichever kind, as it happens. */
export function jobEventRoutes({ jobs, events }: Services, resource: JobResource): FastifyPluginAsyncZod {
  const { kind, path, tag, name } = resource
  return async (app) => {
    app.get(
      `${path}/:id/events`,
      {
        config: { hasOwnDeadline: true },
        schema: {
          tags: [tag],
          operationId: `stream${name}Events`,
          summary: `Stream what happens to a ${kind}`,
          description:
            'From its beginning, or after `Last-Event-ID`. Events of type `progress` come in between, without an id. The stream ends with the job; asked again after that, the answer is 204, so that clients stop.',
          params: Id,
          headers: LastEventId,
          response: {
            200: stream,
            204: z.null().describe('Nothing more will happen.'),
            ...problems(400, 404, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const seen = Number(request.headers['last-event-id'] ?? 0)
        if (!Number.isSafeInteger(seen) || seen < 0) throw new CursorError()
        const job = await jobs.look(kind, id)
        if (!job) throw jobNotFound(resource, id)
        if (isOver(job.state) && seen >= job.events) return reply.code(204).send(null)
        await sendEvents(reply, (signal) => eventsOf(jobs, events, job, seen, signal), app.closing)
        return reply
      },
    )
  }
}

/** What happens to all jobs, as it happens. */
export function eventRoutes({ events }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/events',
      {
        config: { hasOwnDeadline: true },
        schema: {
          tags: ['service'],
          operationId: 'streamEvents',
          summary: 'Stream what happens to all jobs',
          description: 'From now on, or after `Last-Event-ID`. Events are kept for 30 days.',
          headers: LastEventId,
          response: { 200: stream, ...problems(400, 503) },
        },
      },
      async (request, reply) => {
        const cursor = request.headers['last-event-id'] ?? (await events.now())
        // Read before anything is sent: a wrong cursor is a wrong request.
        const first = await events.all(cursor)
        await sendEvents(reply, (signal) => allEvents(events, cursor, first, signal), app.closing)
        return reply
      },
    )
  }
}

async function* eventsOf(
  jobs: JobStore,
  events: EventLog,
  { kind, id }: Job,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let seen = after
  let progress = ''
  while (!signal.aborted) {
    // The job first: when it is over, all of its events are there.
    const job = await jobs.look(kind, id)
    for (const event of await events.ofJob(id, seen)) {
      seen = event.seq
      yield { id: String(event.seq), event: event.type, data: shown(event) }
    }
    if (!job || (isOver(job.state) && seen >= job.events)) return
    const now = JSON.stringify(job.progress ?? null)
    if (job.state === 'running' && job.progress !== undefined && now !== progress) {
      progress = now
      yield { event: 'progress', data: job.progress }
    }
    if (seen >= job.events) await events.wait(id, signal)
  }
}

async function* allEvents(
  events: EventLog,
  from: string,
  first: readonly AnyJobEvent[],
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  let cursor = from
  let page = first
  while (!signal.aborted) {
    for (const event of page) {
      cursor = event.cursor
      const { kind, source, target } = event
      yield { id: cursor, event: event.type, data: { ...shown(event), kind, source, target } }
    }
    if (page.length === 0) await events.wait(undefined, signal)
    page = await events.all(cursor)
  }
}

function shown({ job, seq, at, data }: JobEvent) {
  return { job, seq, at: isoTime(at), ...data }
}
