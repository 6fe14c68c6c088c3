import type { FastifyPluginAsync } from 'fastify'
import { registerBulkActions } from '../jobs/bulk-actions.ts'
import type { JobResource } from '../jobs/job-resource.ts'
import type { Services } from '../services.ts'
import { conversionFilter, conversionQuery } from './filter.ts'

/** Cancels and retries many conversions. */
export function bulkConversionRoutes(
  services: Pick<Services, 'jobs' | 'names' | 'projects'>,
  resource: JobResource,
): FastifyPluginAsync {
  return async (app) =>
    registerBulkActions(app, services, resource, { shape: conversionQuery, parse: conversionFilter })
}
