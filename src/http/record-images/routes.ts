import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RecordImageDocument, RecordImagePageDocument } from '../../records/images/documents.ts'
import { sendDocument } from '../document.ts'
import { canonicalImage, ImageName, Paging, ReferencePath, Workload } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

export function recordImageRoutes({ analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/record-images',
      {
        schema: {
          tags: ['record images'],
          operationId: 'listRecordImages',
          summary: 'List record file images',
          description:
            'The registry is asked each time, so that images of other publishers are among them. With an image: its referrers, and what lies in its repository and beside it in the backing registry, best match first (the same digest, then the same repository), each newest first. With a repository, or without both of the whole backing registry: by repository and tag.',
          querystring: z.object({
            repository: z
              .string()
              .min(1)
              .max(600)
              .optional()
              .describe('`host/name`, or a name in the backing registry.'),
            image: ImageName.optional(),
            workload: Workload.optional(),
            ...Paging,
          }),
          response: { 200: RecordImagePageDocument, ...problems(400, 403, 422, 502, 503, 504) },
        },
      },
      async (request, reply) => {
        const { repository, image, workload, limit, cursor } = request.query
        const { abandoned: signal } = request
        const page = await analyses.recordImages(
          {
            repository,
            ...(image !== undefined && { image: canonicalImage(image) }),
            workload,
            limit,
            after: cursor,
          },
          { signal },
        )
        return sendDocument(reply, 'application/json', page)
      },
    )
    app.get(
      '/v1/record-images/*',
      {
        schema: {
          tags: ['record images'],
          operationId: 'getRecordImage',
          summary: 'Show a record file image with its entries',
          params: ReferencePath,
          response: { 200: RecordImageDocument, ...problems(400, 403, 404, 413, 422, 502, 503, 504) },
        },
      },
      async (request, reply) => {
        const { abandoned: signal } = request
        const image = await analyses.recordImage({ reference: request.params['*'] }, { signal })
        return sendDocument(reply, 'application/json', image)
      },
    )
  }
}
