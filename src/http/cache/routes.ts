import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { CacheOverview, Remembered } from '../../cache/overview.ts'
import { Digest } from '../../oci/digest-schema.ts'
import { parseHost, parseRepository } from '../../oci/reference.ts'
import { isoTime, Moment } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const MAX_DAYS = 90
const Count = z.int().nonnegative()

const RememberedView = z
  .object({
    entries: Count,
    bytes: Count.describe('Of the layers that are remembered; of images, of their manifests.'),
    oldestUse: Moment.optional().describe('When the entry was used that is forgotten first.'),
    oldestCheck: Moment.optional().describe('All entries were compared with their registries then or later.'),
  })
  .meta({ id: 'RememberedEntries', description: 'What is remembered of one kind.' })

const UseView = z
  .object({
    hitRate: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe('reused of all that was asked for; left out when nothing was.'),
    reused: Count.describe('Found, and still in the registry: nothing was done.'),
    rearranged: Count.optional().describe('Made out of the layer in another order.'),
    made: Count.describe('Not found, or not usable: converted from the source.'),
    gone: Count.describe('Entries that were forgotten, as their registry had them no more.'),
    bytesReused: Count.describe('Of converted layers that were not made again.'),
  })
  .meta({ id: 'CacheUse', description: 'How often something was found.' })

const CacheView = z
  .object({
    layers: RememberedView,
    images: RememberedView,
    days: z.int().describe('Days that the uses are of, today among them, in UTC.'),
    uses: z.object({
      images: UseView.describe('Whole conversions.'),
      layers: UseView.describe('Layers of the conversions that were not found whole.'),
    }),
  })
  .meta({
    id: 'Cache',
    description: 'What was converted before and is remembered, and how often that was of use.',
  })

const EntryCounts = z
  .object({ layers: Count, images: Count })
  .meta({ id: 'CacheEntryCounts', description: 'How many entries were meant.' })

const HostName = z
  .string()
  .refine((text) => isParsed(() => parseHost(text)), 'expected a registry, as references name it')
const RepositoryName = z
  .string()
  .refine((text) => isParsed(() => parseRepository(text)), 'expected a repository without its registry')

/** The memory of what was converted. */
export function cacheRoutes({ cache }: Services): FastifyPluginAsyncZod {
  const tags = ['cache']
  return async (app) => {
    app.get(
      '/v1/cache',
      {
        schema: {
          tags,
          operationId: 'getCache',
          summary: 'What is remembered of conversions, and how often that was of use',
          querystring: z.object({
            days: z.coerce.number().int().min(1).max(MAX_DAYS).default(7).describe('Days to count uses of.'),
          }),
          response: { 200: CacheView, ...problems(400, 503) },
        },
      },
      async ({ query: { days } }) => viewOf(await cache.get(days), days),
    )
    app.delete(
      '/v1/cache',
      {
        schema: {
          tags,
          operationId: 'purgeCache',
          summary: 'Forget what was converted: all of it, or some',
          description:
            'What is forgotten stays in its registry, and is converted again when it is asked for.',
          // A misspelt filter must not forget everything.
          querystring: z.strictObject({
            registry: HostName.optional().describe('Of this registry alone.'),
            repository: RepositoryName.optional().describe('Of this repository alone.'),
            digest: Digest.optional().describe('This converted layer, manifest or index alone.'),
          }),
          response: { 200: EntryCounts, ...problems(400, 503, 507) },
        },
      },
      ({ query: { registry, repository, digest } }) =>
        cache.purge({ host: registry && parseHost(registry), repository, digest }),
    )
    app.post(
      '/v1/cache/check',
      {
        schema: {
          tags,
          operationId: 'checkCache',
          summary: 'Compare all entries with their registries now',
          description:
            'Workers ask registries for everything that is remembered, some at a time, and forget what is gone; without being told they do so once a day. What is used is asked for in any case.',
          response: { 202: EntryCounts, ...problems(503, 507) },
        },
      },
      async (_request, reply) => reply.code(202).send(await cache.checkAll()),
    )
  }
}

function viewOf({ layers, images, uses }: CacheOverview, days: number): z.input<typeof CacheView> {
  const of = (kind: 'image' | 'layer') => useView(uses.filter((use) => use.kind === kind))
  return {
    layers: rememberedView(layers),
    images: rememberedView(images),
    days,
    uses: { images: of('image'), layers: { rearranged: 0, ...of('layer') } },
  }
}

function rememberedView({ entries, bytes, oldestUse, oldestCheck }: Remembered) {
  return {
    entries,
    bytes,
    ...(oldestUse !== undefined && { oldestUse: isoTime(oldestUse) }),
    ...(oldestCheck !== undefined && { oldestCheck: isoTime(oldestCheck) }),
  }
}

function useView(uses: CacheOverview['uses']) {
  const find = (outcome: string) => uses.find((use) => use.outcome === outcome)
  const count = (outcome: string) => find(outcome)?.count ?? 0
  const asked = count('reused') + count('rearranged') + count('made')
  return {
    ...(asked > 0 && { hitRate: count('reused') / asked }),
    reused: count('reused'),
    ...(find('rearranged') && { rearranged: count('rearranged') }),
    made: count('made'),
    gone: count('gone'),
    bytesReused: find('reused')?.bytes ?? 0,
  }
}

function isParsed(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}
