import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Services } from '../services.ts'

/** What does not answer by then is not ready. */
const CHECK_MS = 3_000

const Health = z
  .object({ status: z.literal('ok') })
  .meta({ id: 'Health', description: 'The server answers.', examples: [{ status: 'ok' }] })

const Check = z.object({ ok: z.boolean(), detail: z.string().optional() })
const Readiness = z
  .object({
    status: z
      .enum(['ready', 'degraded', 'unavailable'])
      .describe(
        'degraded: requests are accepted, and not everything can be done at present; unavailable: send them elsewhere, or later.',
      ),
    database: Check,
    registry: Check.describe('The backing one.'),
    workers: Check.extend({ running: z.int().optional() }),
  })
  .meta({
    id: 'Readiness',
    description: 'Whether the broker can do its work.',
    examples: [
      {
        status: 'ready',
        database: { ok: true },
        registry: { ok: true },
        workers: { ok: true, running: 2 },
      },
    ],
  })

/** What tells those who run the broker how it is. */
export function serviceRoutes(services: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/healthz',
      {
        schema: {
          tags: ['service'],
          operationId: 'getHealth',
          summary: 'Whether the server answers',
          security: [],
          response: { 200: Health },
        },
        logLevel: 'warn',
      },
      async () => ({ status: 'ok' as const }),
    )
    app.get(
      '/readyz',
      {
        schema: {
          tags: ['service'],
          operationId: 'getReadiness',
          summary: 'Whether database, registry and workers answer',
          security: [],
          response: {
            200: Readiness,
            503: Readiness.describe('The database does not answer, or the server stops.'),
          },
        },
        logLevel: 'warn',
      },
      async (_request, reply) => {
        const readiness = await readinessOf(services, app.closing.aborted)
        return reply.code(readiness.status === 'unavailable' ? 503 : 200).send(readiness)
      },
    )
    app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'))
  }
}

async function readinessOf(
  { workers, checkRegistry }: Services,
  stopping: boolean,
): Promise<z.infer<typeof Readiness>> {
  const signal = AbortSignal.timeout(CHECK_MS)
  let running: number | undefined
  const [database, registry] = await Promise.all([
    check(signal, async () => {
      running = await workers.running()
    }),
    check(signal, () => checkRegistry(signal)),
  ])
  const anybody = running !== undefined && running > 0
  const status = stopping || !database.ok ? 'unavailable' : registry.ok && anybody ? 'ready' : 'degraded'
  return {
    status,
    database,
    registry,
    workers: {
      ok: anybody,
      ...(running !== undefined && { running }),
      ...(anybody ? {} : { detail: running === undefined ? 'not known' : 'none runs: jobs wait' }),
    },
  }
}

/** Anybody may ask: what went wrong is told by its code alone, as messages name hosts. */
async function check(signal: AbortSignal, act: () => Promise<void>): Promise<z.infer<typeof Check>> {
  const late = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(Object.assign(new Error(), { code: 'TIMEOUT' })), {
      once: true,
    }),
  )
  try {
    await Promise.race([act(), late])
    return { ok: true }
  } catch (error) {
    const { code } = error as { code?: unknown }
    return { ok: false, detail: typeof code === 'string' ? code : 'it does not answer' }
  }
}
