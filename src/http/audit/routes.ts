import { Readable } from 'node:stream'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { AUDIT_OUTCOMES } from '../../access/audit/audit-entry.ts'
import type { AuditFilter, ScopedAuditLog } from '../../access/audit/audit-log.ts'
import { requires } from '../access/security.ts'
import { PageQuery, parseTimes, Time } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { AuditPage, auditEntryView } from './view.ts'

const LINES = 'application/x-ndjson'
const EXPORTED_AT_ONCE = 500

const text = z.string().min(1).max(600)
const AuditQuery = z.object({
  since: Time.optional().describe('Only events at this time or later.'),
  until: Time.optional().describe('Only events before this time.'),
  project: text.optional().describe('Only events of this project.'),
  subject: text.optional().describe('Only events of this caller.'),
  action: text.optional().describe('Only this operation, such as `createToken`.'),
  outcome: z.enum(AUDIT_OUTCOMES).optional().describe('Only events that ended like this.'),
  repository: text
    .optional()
    .describe(
      'Only events of this repository, as `host/repository`; the host `embedded` is that of the broker.',
    ),
  ...PageQuery,
  cursor: z
    .uuid()
    .optional()
    .describe('The value of `next` in the previous page, or the id of the last line of an export.'),
})

/** Shows the audit log. */
export function auditRoutes({ audit }: Pick<Services, 'audit'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/audit',
      {
        schema: {
          tags: ['access'],
          operationId: 'listAuditLog',
          security: requires('admin'),
          summary: 'List who did what, newest first',
          description:
            'Changes, and requests that were refused. With `Accept: application/x-ndjson`, all events of the period are sent, one JSON document a line, and `limit` has no meaning. A response that is broken off by the deadline of requests continues with `cursor`, the id of its last line.',
          querystring: AuditQuery,
          response: {
            200: {
              description: 'A page of events, or all of them as lines.',
              content: {
                'application/json': { schema: AuditPage },
                [LINES]: { schema: z.string().describe('An `AuditEntry` a line.') },
              },
            },
            ...problemResponses(400, 403, 503),
          },
        },
      },
      async (request, reply) => {
        const { limit, cursor, since, until, ...equal } = request.query
        const filter = { ...parseTimes({ since, until }), ...equal }
        const log = audit.in(request.caller.projectScope)
        if (request.headers.accept?.includes(LINES)) {
          const lines = exportLines(log, filter, cursor, request.abortSignal)
          return reply.type(LINES).send(Readable.from(lines, { objectMode: false }) as never)
        }
        const { items, ...rest } = await log.list(filter, { limit, before: cursor })
        return reply.type('application/json').send({ items: items.map(auditEntryView), ...rest })
      },
    )
  }
}

/**
 * Reads as fast as the client takes the lines. The deadline of requests breaks off a response that takes longer; the
 * client continues after its last line.
 */
async function* exportLines(
  log: ScopedAuditLog,
  filter: AuditFilter,
  cursor: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  for (let before = cursor; ; ) {
    signal.throwIfAborted()
    const { items, next } = await log.list(filter, { limit: EXPORTED_AT_ONCE, before })
    yield items.map((item) => `${JSON.stringify(auditEntryView(item))}\n`).join('')
    if (next === undefined) return
    before = next
  }
}
