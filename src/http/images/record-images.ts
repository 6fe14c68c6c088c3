import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parseReference } from '../../oci/reference.ts'
import { RecordImageDocument } from '../../records/images/schemas.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { requires } from '../access/security.ts'
import { markImmutable } from '../browser/caching.ts'
import { ImageName, PageQuery, parseTimes, ReferencePath, Time, Workload } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'
import { catalogueFilter, catalogueQuery, refreshIfAsked, SearchText } from './catalogue-query.ts'
import { RecordImagePage, recordImagePage } from './record-image-view.ts'

/** Lists record images as the catalogue knows them, and shows those in registries. */
export function recordImageRoutes({
  analyses,
  catalogue,
  defaultRegistry,
}: Pick<Services, 'analyses' | 'catalogue' | 'defaultRegistry'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/record-images',
      {
        schema: {
          tags: ['record images'],
          operationId: 'listRecordImages',
          security: requires('record-images:read'),
          summary: 'List record file images',
          description:
            'Lists record images, newest first, as the catalogue knows them: those that this broker published, and those of other tools in the backing registry, which is compared in the background. With `image`: the record images of the same digest, then those of other images of its repository. `comparedAt` shows how old the listing may be. `fresh=true` compares it with the registry first.',
          querystring: z.object({
            ...catalogueQuery,
            image: ImageName.optional(),
            workload: Workload.optional(),
            text: SearchText.optional().describe(
              'The starts of words in repository, tag, image and workload.',
            ),
            createdFrom: Time.optional().describe('Only records created at this time or later.'),
            createdBefore: Time.optional().describe('Only records created before this time.'),
            ...PageQuery,
          }),
          response: { 200: RecordImagePage, ...problemResponses(400, 403, 422, 502, 503, 504) },
        },
      },
      async (request) => {
        const { workload, createdFrom, createdBefore, limit, cursor, fresh, ...query } = request.query
        const filter = {
          ...catalogueFilter(query, defaultRegistry),
          ...(workload !== undefined && { workload }),
          ...parseTimes({ from: createdFrom, before: createdBefore }),
        }
        await refreshIfAsked(analyses, fresh, filter, request)
        return recordImagePage(
          await catalogue.seenBy(request.caller).listRecordImages(filter, { limit, cursor }),
        )
      },
    )
    app.get(
      '/v1/record-images/*',
      {
        schema: {
          tags: ['record images'],
          operationId: 'getRecordImage',
          security: requires('record-images:read'),
          summary: 'Show a record file image with its entries',
          description: 'Reads the image from its registry.',
          params: ReferencePath,
          response: {
            200: RecordImageDocument,
            ...problemResponses(400, 403, 404, 413, 422, 502, 503, 504),
          },
        },
      },
      async (request, reply) => {
        const reference = request.params['*']
        const image = await analyses.readRecordImage({ reference }, analysisContext(request))
        if (parseReference(reference).digest !== undefined) markImmutable(reply)
        return sendDocument(reply, 'application/json', image)
      },
    )
  }
}
