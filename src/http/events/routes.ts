import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { InvalidCursorError, isEventCursor } from '../../jobs/events/event-cursor.ts'
import { JOB_EVENT_TYPES } from '../../jobs/events/record-event.ts'
import { isFinished, JOB_KINDS } from '../../jobs/job.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { type JobResource, jobNotFound } from '../jobs/job-resource.ts'
import { IdParams, LabelQuery, parseLabels } from '../parameters.ts'
import { fieldError, problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { followAll } from './all-events.ts'
import { followJob } from './job-events.ts'
import { eventStream } from './schema.ts'
import { sendEvents } from './stream.ts'

const Kind = z.enum(JOB_KINDS)
const EVENT_TYPES = [...JOB_EVENT_TYPES, 'progress'] as const
const Type = z.enum(EVENT_TYPES)
const LastEventId = z.object({
  'last-event-id': z
    .string()
    .max(100)
    .optional()
    .describe('The id of the last event that the client received. The stream continues after it.'),
})

/** Streams the events of one job. */
export function jobEventRoutes(
  { jobs, events, eventFeed }: Pick<Services, 'jobs' | 'events' | 'eventFeed'>,
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
          security: requires('conversions:read'),
          summary: `Stream the events of a ${kind}`,
          description: `Starts with the first event of the ${kind}, or after \`Last-Event-ID\`. Events of type \`progress\` have no id. The stream ends when the ${kind} has finished; a client that reconnects after that gets 204 and stops.`,
          params: IdParams,
          headers: LastEventId,
          response: {
            200: eventStream('JobEvent'),
            204: z.null().describe('There are no more events.'),
            ...problemResponses(400, 404, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const lastSeq = Number(request.headers['last-event-id'] ?? 0)
        if (!Number.isSafeInteger(lastSeq) || lastSeq < 0) throw new InvalidCursorError()
        const { projectScope } = request.caller
        const visible = jobs.in(projectScope)
        const job = await visible.getStatus(kind, id)
        if (!job) throw jobNotFound(resource, id)
        if (isFinished(job.state) && lastSeq >= job.eventCount) return reply.code(204).send(null)
        const feed = eventFeed.in(projectScope)
        using _place = await feed.open()
        const source = (signal: AbortSignal) =>
          followJob({ jobs: visible, events, feed }, job, lastSeq, signal)
        await sendEvents(reply, source, app.shutdownSignal)
        return reply
      },
    )
  }
}

const EventQuery = z.object({
  kind: z
    .union([Kind, z.array(Kind).max(JOB_KINDS.length)])
    .optional()
    .describe('Only events of jobs of this kind. Can be repeated.'),
  type: z
    .union([Type, z.array(Type).max(EVENT_TYPES.length)])
    .optional()
    .describe('Only events of this type. Can be repeated.'),
  label: LabelQuery.optional(),
  ...ProjectQuery,
})

/** Streams the events of all jobs. */
export function eventRoutes({ eventFeed }: Pick<Services, 'eventFeed'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/events',
      {
        config: { hasOwnDeadline: true },
        schema: {
          tags: ['service'],
          operationId: 'streamEvents',
          security: requires('conversions:read'),
          summary: 'Stream the events of all jobs that the caller sees',
          description:
            'Starts with new events, or after `Last-Event-ID`. Events are stored for 30 days. In between there are events of type `progress` without an id: at most one per job and second, and only the latest of each job.',
          querystring: EventQuery,
          headers: LastEventId,
          response: { 200: eventStream('BrokerEvent'), ...problemResponses(400, 503) },
        },
      },
      async (request, reply) => {
        const lastEventId = request.headers['last-event-id']
        if (lastEventId !== undefined && !isEventCursor(lastEventId)) {
          const detail = 'expected the id of an event of this stream'
          throw fieldError(400, 'INVALID_CURSOR', 'headers.last-event-id', detail)
        }
        const { kind, type, label, project } = request.query
        const feed = eventFeed.in(listedScope(request.caller, project))
        // The place is that of the caller's project, whichever it selects.
        using _place = await eventFeed.in(request.caller.projectScope).open()
        // Read before the response starts: a database that does not respond is a 503.
        const cursor = lastEventId ?? (await feed.latestCursor())
        const filter = {
          ...(kind && { kinds: [kind].flat() }),
          ...(type && { types: [type].flat() }),
          labels: parseLabels(label),
        }
        const start = { cursor, resumed: lastEventId }
        await sendEvents(reply, (signal) => followAll(feed, start, filter, signal), app.shutdownSignal)
        return reply
      },
    )
  }
}
