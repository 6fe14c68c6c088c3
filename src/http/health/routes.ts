import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Services } from '../services.ts'
import { BackgroundCheck, type Outcome } from './background-check.ts'

/** The pauses between two looks at the backing registry, and at what is near at hand. */
const REGISTRY_EVERY_MS = 5_000
const NEAR_EVERY_MS = 500

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
    registry: Check.describe(
      'The backing one. PENDING: it was asked for the first time, and may still answer in time.',
    ),
    storage: Check.describe('STORAGE_FULL: there is no room on its disk; conversions wait.'),
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
        storage: { ok: true },
        workers: { ok: true, running: 2 },
      },
    ],
  })

/** What tells those who run the broker how it is. */
export function healthRoutes(services: Services): FastifyPluginAsyncZod {
  const watched = new Watched(services)
  return async (app) => {
    app.addHook('onReady', () => watched.beginNear())
    // The backing registry may be the one that is part of this server.
    app.addHook('onListen', async () => watched.beginFar())
    app.addHook('onClose', async () => watched.stop())
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
          summary: 'Whether database, registry and workers answer, and there is room on the disk',
          security: [],
          response: {
            200: Readiness,
            503: Readiness.describe('The database does not answer, or the server stops.'),
          },
        },
        logLevel: 'warn',
      },
      async (_request, reply) => {
        const readiness = await watched.readiness(app.closing.aborted)
        return reply.code(readiness.status === 'unavailable' ? 503 : 200).send(readiness)
      },
    )
    app.get('/', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs'))
  }
}

/** Looks after what the broker needs, for as long as it runs. */
class Watched {
  readonly #workers: BackgroundCheck<number>
  readonly #registry: BackgroundCheck<void>
  readonly #room: BackgroundCheck<boolean>

  constructor({ workers, checkRegistry, hasRoom }: Services) {
    this.#workers = new BackgroundCheck(() => workers.running(), NEAR_EVERY_MS)
    this.#registry = new BackgroundCheck(checkRegistry, REGISTRY_EVERY_MS)
    this.#room = new BackgroundCheck(hasRoom, NEAR_EVERY_MS)
  }

  /** Resolves when all of it was looked at once. */
  async beginNear(): Promise<void> {
    await Promise.all([this.#workers.begin(), this.#room.begin()])
  }

  beginFar(): void {
    void this.#registry.begin()
  }

  stop(): void {
    for (const check of [this.#workers, this.#registry, this.#room]) check.stop()
  }

  async readiness(stopping: boolean): Promise<z.infer<typeof Readiness>> {
    const [counted, registry, room] = await Promise.all([
      this.#workers.latest(),
      this.#registry.latest(),
      this.#room.latest(),
    ])
    const storage = room?.ok && !room.result ? { ok: false, detail: 'STORAGE_FULL' } : shown(room)
    const workers = !counted?.ok
      ? { ok: false, detail: 'not known' }
      : counted.result > 0
        ? { ok: true, running: counted.result }
        : { ok: false, running: 0, detail: 'none runs: jobs wait' }
    const far = shown(registry)
    const all = workers.ok && far.ok && storage.ok
    return {
      status: stopping || !counted?.ok ? 'unavailable' : all ? 'ready' : 'degraded',
      database: shown(counted),
      registry: far,
      storage,
      workers,
    }
  }
}

/** What has not been found out yet is taken for sound: a start is no outage. */
function shown(outcome: Outcome<unknown> | undefined): z.infer<typeof Check> {
  if (outcome === undefined) return { ok: true, detail: 'PENDING' }
  return outcome.ok ? { ok: true } : { ok: false, detail: outcome.detail }
}
