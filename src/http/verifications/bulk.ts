import type { FastifyPluginAsync } from 'fastify'
import { ReferenceText } from '../../oci/reference.ts'
import { registerBulkActions } from '../jobs/bulk-actions.ts'
import type { JobResource } from '../jobs/job-resource.ts'
import { canonicalImage } from '../parameters.ts'
import type { Services } from '../services.ts'

const shape = {
  reference: ReferenceText.optional().describe('Only verifications of this image.'),
  source: ReferenceText.optional().describe('Only verifications that compare an image with this source.'),
}

/** Cancels and retries many verifications. */
export function bulkVerificationRoutes(
  services: Pick<Services, 'bulkJobs'>,
  resource: JobResource,
): FastifyPluginAsync {
  return async (app) =>
    registerBulkActions(app, services, resource, {
      shape,
      parse: ({ reference, source }) => ({
        ...(reference !== undefined && { source: canonicalImage(reference) }),
        ...(source !== undefined && { comparedWith: canonicalImage(source) }),
      }),
    })
}
