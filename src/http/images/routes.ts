import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { ImageInspection } from '../../conversion/report.ts'
import { sendDocument } from '../document.ts'
import { ReferencePath } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

export function imageRoutes({ analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/images/*',
      {
        schema: {
          tags: ['images'],
          operationId: 'inspectImage',
          summary: 'Show what an image says of itself',
          description:
            'Reads manifests, configs, and the footers and tables of contents of the layers; no layer is downloaded whole.',
          params: ReferencePath,
          response: { 200: ImageInspection, ...problems(400, 403, 404, 422, 502, 503, 504) },
        },
      },
      async (request, reply) => {
        const { abandoned: signal } = request
        const inspection = await analyses.inspect({ reference: request.params['*'] }, { signal })
        return sendDocument(reply, 'application/json', inspection)
      },
    )
  }
}
