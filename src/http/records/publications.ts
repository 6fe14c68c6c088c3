import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { assertPlaceAllows } from '../access/project-placement.ts'
import { requires } from '../access/security.ts'
import { IdParams, isoTime, Timestamp } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { EXAMPLE_DIGEST, EXAMPLE_ID } from './view.ts'

const PublicationRequest = z
  .strictObject({
    reference: ReferenceText.refine((text) => !text.includes('@'), 'expected a tag, not a digest')
      .optional()
      .describe(
        'The reference to publish to. Default: a tag in the repository of the backing registry that corresponds to the image.',
      ),
    attachTo: ReferenceText.optional().describe(
      'The image that the record image becomes a referrer of instead of the profiled image, such as a converted image. Without `reference`, the record image is pushed to the repository of that image, by digest.',
    ),
    overwrite: z.boolean().optional().describe('Whether to move a tag that refers to a different manifest.'),
  })
  .meta({
    id: 'PublicationRequest',
    description: 'Where to publish a record as a record file image.',
    examples: [{ reference: 'registry.example/team/app:record-1.0-serve' }],
  })

const PublishedRecord = z
  .object({
    recordId: z.string(),
    reference: z.string(),
    digest: Digest.describe(
      'The digest of the manifest. Publishing the same record again gives the same digest.',
    ),
    subject: Digest.optional().describe('The image that the record image is a referrer of, if any.'),
    createdAt: Timestamp,
  })
  .meta({
    id: 'PublishedRecord',
    description: 'A published record.',
    examples: [
      {
        recordId: EXAMPLE_ID,
        reference: 'registry.example/team/app:record-1.0-serve',
        digest: EXAMPLE_DIGEST,
        createdAt: '2026-01-02T03:04:05.678Z',
      },
    ],
  })

/** Publishes records as record file images. */
export function publicationRoutes(
  services: Pick<Services, 'analyses' | 'projects' | 'names'>,
): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/:id/publications',
      {
        schema: {
          tags: ['records'],
          operationId: 'publishRecord',
          security: requires('record-images:write'),
          summary: 'Publish a record as a record file image',
          description:
            'The image has one tar+gzip layer with the file `stargz.record.json`. It becomes a referrer of the profiled image: by digest if the record contains it, otherwise by the digest that the tag currently refers to.',
          params: IdParams,
          body: PublicationRequest,
          response: {
            201: PublishedRecord,
            ...problemResponses(400, 403, 404, 409, 422, 502, 503, 504, 507),
          },
        },
      },
      async (request, reply) => {
        const { reference: target, attachTo } = request.body
        const read = attachTo === undefined ? [] : [attachTo]
        const written = target === undefined ? read : [target]
        await assertPlaceAllows({ read, written }, 'result', { caller: request.caller, services })
        const publication = { record: request.params.id, ...request.body }
        const published = await services.analyses.publish(publication, analysisContext(request))
        const { reference, digest, subject, createdAt } = published
        const recordId = request.params.id
        return reply.code(201).send({ recordId, reference, digest, subject, createdAt: isoTime(createdAt) })
      },
    )
  }
}
