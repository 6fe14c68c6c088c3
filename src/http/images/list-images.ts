import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { requires } from '../access/security.ts'
import { canonicalImage, ImageName, PageQuery, parseTimes, Time } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { catalogueFilter, catalogueQuery, refreshIfAsked, SearchText } from './catalogue-query.ts'
import { ImagePage, ImageRelationsView, imagePage, imageRelationsView } from './image-view.ts'

const MAX_RELATED = 100
const DEFAULT_RELATED = 20

/** Lists images, and what belongs to them, as the catalogue knows them. */
export function imageListRoutes({
  analyses,
  catalogue,
  defaultRegistry,
}: Pick<Services, 'analyses' | 'catalogue' | 'defaultRegistry'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/v1/images',
      {
        schema: {
          tags: ['images'],
          operationId: 'listImages',
          security: requires('conversions:read'),
          summary: 'List images',
          description:
            'Lists the images of the backing registry and those of conversions that the caller may read, as the catalogue knows them, those first that were seen last. Each shows what it was converted from and how many record images belong to it. Record images have a listing of their own.',
          querystring: z.object({
            ...catalogueQuery,
            image: ImageName.optional().describe('A reference, a repository, or only a digest.'),
            text: SearchText.optional().describe('The starts of words in repository and tag.'),
            seenFrom: Time.optional().describe('Only images first seen at this time or later.'),
            seenBefore: Time.optional().describe('Only images first seen before this time.'),
            ...PageQuery,
          }),
          response: { 200: ImagePage, ...problemResponses(400, 403, 422, 502, 503, 504) },
        },
      },
      async (request) => {
        const { seenFrom, seenBefore, limit, cursor, fresh, ...query } = request.query
        const filter = {
          ...catalogueFilter(query, defaultRegistry),
          ...parseTimes({ from: seenFrom, before: seenBefore }),
        }
        await refreshIfAsked(analyses, fresh, filter, request)
        return imagePage(await catalogue.seenBy(request.caller).listImages(filter, { limit, cursor }))
      },
    )
    app.get(
      '/v1/image-relations',
      {
        schema: {
          tags: ['images'],
          operationId: 'getImageRelations',
          security: requires('conversions:read'),
          summary: 'Show what belongs to an image',
          description:
            'Shows the record images that belong to the image, the conversions of it, the conversions that made it, and those that used it as a record image. The response comes from the catalogue.',
          querystring: z.object({
            image: ImageName.describe('A reference, or only a digest. A digest counts more than a tag.'),
            limit: z.coerce
              .number()
              .int()
              .min(1)
              .max(MAX_RELATED)
              .default(DEFAULT_RELATED)
              .describe('The maximum number of items of each kind.'),
          }),
          response: { 200: ImageRelationsView, ...problemResponses(400, 503) },
        },
      },
      async ({ caller, query: { image, limit } }) => {
        const name = canonicalImage(image)
        return imageRelationsView(name, await catalogue.seenBy(caller).relationsOf(name, limit))
      },
    )
  }
}
