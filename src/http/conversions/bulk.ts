import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { ReferenceText } from '../../oci/reference.ts'
import { registerBulkActions } from '../jobs/bulk-actions.ts'
import type { JobResource } from '../jobs/job-resource.ts'
import { canonicalImage } from '../parameters.ts'
import type { Services } from '../services.ts'

const shape = {
  source: ReferenceText.optional(),
  target: ReferenceText.optional(),
  batch: z.uuid().optional().describe('Only the conversions of this batch.'),
}

/** Cancels and retries many conversions. */
export function bulkConversionRoutes(
  services: Pick<Services, 'bulkJobs'>,
  resource: JobResource,
): FastifyPluginAsync {
  return async (app) =>
    registerBulkActions(app, services, resource, {
      shape,
      parse: ({ source, target, batch }) => ({
        ...(source !== undefined && { source: canonicalImage(source) }),
        ...(target !== undefined && { target: canonicalImage(target) }),
        ...(batch !== undefined && { batchId: batch }),
      }),
    })
}
