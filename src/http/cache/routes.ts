import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { parseHost, parseRepository } from '../../oci/reference.ts'
import { requires } from '../access/security.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { CacheView, cacheView, EntryCounts } from './view.ts'

const MAX_DAYS = 90

const HostName = z
  .string()
  .refine((text) => succeeds(() => parseHost(text)), 'expected a registry, as in a reference: host[:port]')
const RepositoryName = z
  .string()
  .refine((text) => succeeds(() => parseRepository(text)), 'expected a repository without its registry')

/** Inspects and purges the cache of conversion results. */
export function cacheRoutes({ cache, names }: Pick<Services, 'cache' | 'names'>): FastifyPluginAsyncZod {
  const tags = ['cache']
  return async (app) => {
    app.get(
      '/v1/cache',
      {
        schema: {
          tags,
          operationId: 'getCache',
          security: requires('conversions:read'),
          summary: 'Show the cached conversion results and how often they were used',
          description:
            'Shows the number of entries of the project, and how often its conversions found what they needed in the last `days`. An administrator sees all projects.',
          querystring: z.object({
            days: z.coerce
              .number()
              .int()
              .min(1)
              .max(MAX_DAYS)
              .default(7)
              .describe('The number of days to count uses for, including today.'),
          }),
          response: { 200: CacheView, ...problemResponses(400, 503) },
        },
      },
      async ({ caller, query: { days } }) =>
        cacheView(await cache.in(caller.projectScope).readOverview(days), days),
    )
    app.delete(
      '/v1/cache',
      {
        schema: {
          tags,
          operationId: 'purgeCache',
          security: requires('cache:write'),
          summary: 'Remove all or some entries from the cache',
          description:
            'Without filters, removes all entries of the project; an administrator removes those of all projects. The converted content stays in its registry; later conversions convert it again.',
          // Strict: a misspelled filter must not purge everything.
          querystring: z.strictObject({
            registry: HostName.optional().describe('Removes only entries of this registry.'),
            repository: RepositoryName.optional().describe('Removes only entries of this repository.'),
            digest: Digest.optional().describe(
              'Removes only the entry with this converted layer, manifest or index.',
            ),
          }),
          response: { 200: EntryCounts, ...problemResponses(400, 503, 507) },
        },
      },
      ({ caller, query: { registry, repository, digest } }) => {
        const hosts = registry === undefined ? undefined : names.all(parseHost(registry))
        return cache.in(caller.projectScope).purge({ hosts, repository, digest })
      },
    )
    app.post(
      '/v1/cache/check',
      {
        schema: {
          tags,
          operationId: 'checkCache',
          security: requires('cache:write'),
          summary: 'Check all entries against their registries now',
          description:
            'Workers check in small steps whether the registries still have the cached content, and remove entries without it. They also do so once a day on their own. Conversions check every entry that they use in any case.',
          response: { 202: EntryCounts, ...problemResponses(503, 507) },
        },
      },
      async ({ caller }, reply) => reply.code(202).send(await cache.in(caller.projectScope).requestCheck()),
    )
  }
}

function succeeds(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}
