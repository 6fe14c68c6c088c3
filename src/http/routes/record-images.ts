import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { RecordEntry } from '../../records/model.ts'
import { canonicalImage, ImageName, Paging, ReferencePath, signalOf, Workload } from '../parameters.ts'
import { problems } from '../problem.ts'
import { EXAMPLE_DIGEST } from '../record-view.ts'
import type { Services } from '../services.ts'

const summary = {
  reference: z.string(),
  digest: Digest,
  size: z.int().describe('Bytes of manifest, config and layer.'),
  created: z.string().optional().describe('As the image says.'),
  image: z.string().optional().describe('The profiled image, as the publisher named it.'),
  workload: z.string().optional(),
  profiler: z.string().optional(),
  profilerVersion: z.string().optional(),
  subject: Digest.optional().describe('The manifest that the record image is a referrer of.'),
  annotations: z.record(z.string(), z.string()),
}
const example = {
  reference: 'registry.example/team/app:record-1.0-serve',
  digest: EXAMPLE_DIGEST,
  size: 6123,
  image: 'registry.example/team/app:1.0',
  workload: 'serve',
  annotations: {},
}

const RecordImageSummary = z
  .object({
    ...summary,
    entryCount: z.int().optional().describe('As the publisher says.'),
    match: z
      .enum(['digest', 'repository'])
      .optional()
      .describe(
        'How it belongs to the image that was asked about: digest, to this very one; repository, to another one of its repository.',
      ),
  })
  .meta({
    id: 'RecordImageSummary',
    description: 'A record file image in a registry.',
    examples: [{ ...example, entryCount: 214 }],
  })

const RecordImageView = z.object({ ...summary, entries: z.array(RecordEntry) }).meta({
  id: 'RecordImage',
  description: 'A record file image with its record.',
  examples: [{ ...example, entries: [{ path: 'usr/bin/app' }] }],
})

const RecordImagePage = z
  .object({
    items: z.array(RecordImageSummary),
    next: z.string().optional().describe('The cursor of the next page.'),
  })
  .meta({ id: 'RecordImagePage', description: 'Record file images.' })

export function recordImageRoutes({ publisher }: Services): FastifyPluginAsyncZod {
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
          response: { 200: RecordImagePage, ...problems(400, 403, 502, 503) },
        },
      },
      async (request, reply) => {
        const { repository, image, workload, limit, cursor } = request.query
        const page = await publisher.images({
          repository,
          ...(image !== undefined && { image: canonicalImage(image) }),
          workload,
          limit,
          after: cursor,
          signal: signalOf(reply),
        })
        return { ...page, items: page.items.map((one) => ({ ...one, annotations: { ...one.annotations } })) }
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
          response: { 200: RecordImageView, ...problems(400, 403, 404, 413, 422, 502, 503) },
        },
      },
      async (request, reply) => {
        const shown = await publisher.show(request.params['*'], signalOf(reply))
        return { ...shown, annotations: { ...shown.annotations } }
      },
    )
  }
}
