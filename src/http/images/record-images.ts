import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { RecordImageDocument, RecordImagePageDocument } from '../../records/images/schemas.ts'
import { canonicalImage, ImageName, PageQuery, ReferencePath, Workload } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'

/** Finds and shows record images. */
export function recordImageRoutes(analyses: Services['analyses']): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/record-images',
      {
        schema: {
          tags: ['record images'],
          operationId: 'listRecordImages',
          summary: 'List record file images',
          description:
            'Reads the registry on every request, and so includes record images that other tools published. With `image`: the referrers of that image, and the record images in its repository and in the matching repository of the backing registry; best match first (the same digest, then the same repository), newest first within each. With `repository`: the record images of that repository. With neither: those of the whole backing registry. Both are ordered by repository and tag.',
          querystring: z.object({
            repository: z
              .string()
              .min(1)
              .max(600)
              .optional()
              .describe('A repository as `host/name`, or the name of a repository in the backing registry.'),
            image: ImageName.optional(),
            workload: Workload.optional(),
            ...PageQuery,
          }),
          response: { 200: RecordImagePageDocument, ...problemResponses(400, 403, 422, 502, 503, 504) },
        },
      },
      async (request, reply) => {
        const { repository, image, workload, limit, cursor } = request.query
        const page = await analyses.listRecordImages(
          {
            repository,
            ...(image !== undefined && { image: canonicalImage(image) }),
            workload,
            limit,
            after: cursor,
          },
          { signal: request.abortSignal },
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
          response: {
            200: RecordImageDocument,
            ...problemResponses(400, 403, 404, 413, 422, 502, 503, 504),
          },
        },
      },
      async (request, reply) => {
        const image = await analyses.readRecordImage(
          { reference: request.params['*'] },
          { signal: request.abortSignal },
        )
        return sendDocument(reply, 'application/json', image)
      },
    )
  }
}
