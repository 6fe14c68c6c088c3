import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { Id, isoTime, Moment } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { EXAMPLE_DIGEST, EXAMPLE_ID } from './view.ts'

const PublicationRequest = z
  .strictObject({
    reference: ReferenceText.refine((text) => !text.includes('@'), 'name a tag, not a digest')
      .optional()
      .describe('Where it goes; left out: beside its image in the backing registry.'),
    attachTo: ReferenceText.optional().describe(
      'An image that the record image becomes a referrer of, in place of the profiled one: a converted image, say. Without a reference it goes to that repository, by its digest.',
    ),
    overwrite: z.boolean().optional().describe('Whether a tag that stands for something else is moved.'),
  })
  .meta({
    id: 'PublicationRequest',
    description: 'Where a record goes as a record file image.',
    examples: [{ reference: 'registry.example/team/app:record-1.0-serve' }],
  })

const NewPublication = z
  .object({
    recordId: z.string(),
    reference: z.string(),
    digest: Digest.describe('Of the manifest; publishing the same record again gives the same.'),
    subject: Digest.optional().describe('The image that the record image is a referrer of.'),
    createdAt: Moment,
  })
  .meta({
    id: 'NewPublication',
    description: 'A record that was published.',
    examples: [
      {
        recordId: EXAMPLE_ID,
        reference: 'registry.example/team/app:record-1.0-serve',
        digest: EXAMPLE_DIGEST,
        createdAt: '2026-01-02T03:04:05.678Z',
      },
    ],
  })

export function publicationRoutes({ analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/:id/publications',
      {
        schema: {
          tags: ['records'],
          operationId: 'publishRecord',
          summary: 'Publish a record as a record file image',
          description:
            'One tar+gzip layer with `stargz.record.json`. It becomes a referrer of the profiled image, by its digest where that is known, else by what its tag stands for now.',
          params: Id,
          body: PublicationRequest,
          response: {
            201: NewPublication,
            ...problems(400, 403, 404, 409, 422, 502, 503, 504, 507),
          },
        },
      },
      async (request, reply) => {
        const { abandoned: signal } = request
        const published = await analyses.publish({ record: request.params.id, ...request.body }, { signal })
        const { createdAt, ...publication } = published
        return reply
          .code(201)
          .send({ recordId: request.params.id, ...publication, createdAt: isoTime(createdAt) })
      },
    )
  }
}
