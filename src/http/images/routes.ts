import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { ImageInspection } from '../../conversion/report.ts'
import { parseReference } from '../../oci/reference.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { requires } from '../access/security.ts'
import { markImmutable } from '../browser/caching.ts'
import { ReferencePath } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'

/**
 * Matches an inspection that depends on more than the digest of the image: an external table of contents has
 * a tag of its own, and a problem may be one of today. In JSON, quotes that are not escaped enclose keys here.
 */
const CHANGEABLE = /"(externalToc|problem)":/

/** Inspects images. */
export function imageRoutes(analyses: Services['analyses']): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/images/*',
      {
        schema: {
          tags: ['images'],
          operationId: 'inspectImage',
          security: requires('conversions:read'),
          summary: 'Inspect an image',
          description:
            'Reads the manifests and configs, and the footer and table of contents of each layer, without downloading whole layers.',
          params: ReferencePath,
          response: { 200: ImageInspection, ...problemResponses(400, 403, 404, 422, 502, 503, 504) },
        },
      },
      async (request, reply) => {
        const reference = request.params['*']
        const inspection = await analyses.inspect({ reference }, analysisContext(request))
        const isNamedByDigest = parseReference(reference).digest !== undefined
        return sendDocument(reply, 'application/json', inspection, (document) => {
          if (isNamedByDigest && !CHANGEABLE.test(document.toString())) markImmutable(reply)
        })
      },
    )
  }
}
