import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { ImageInspection } from '../../conversion/report.ts'
import { ReferencePath } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'

/** Inspects images. */
export function imageRoutes(analyses: Services['analyses']): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/images/*',
      {
        schema: {
          tags: ['images'],
          operationId: 'inspectImage',
          summary: 'Inspect an image',
          description:
            'Reads the manifests and configs, and the footer and table of contents of each layer, without downloading whole layers.',
          params: ReferencePath,
          response: { 200: ImageInspection, ...problemResponses(400, 403, 404, 422, 502, 503, 504) },
        },
      },
      async (request, reply) => {
        const inspection = await analyses.inspect(
          { reference: request.params['*'] },
          { signal: request.abortSignal },
        )
        return sendDocument(reply, 'application/json', inspection)
      },
    )
  }
}
