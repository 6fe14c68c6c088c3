import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { VerificationRequest } from '../../conversion/request.ts'
import type { Job } from '../../jobs/job.ts'
import { parseReference, ReferenceText } from '../../oci/reference.ts'
import { assertAcceptablePlatforms } from '../conversions/new-conversion.ts'
import { jobFilter, jobQuery } from '../jobs/listing.ts'
import { acceptedJob, assertCallbackAllowed, jobTerms, termsOf } from '../jobs/new-job.ts'
import { waitAsPreferred } from '../jobs/prefer.ts'
import { type JobResource, jobNotFound } from '../jobs/resource.ts'
import { canonicalImage, Id } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'
import { Verification, VerificationSummary, verificationSummary, verificationView } from './view.ts'

const NewVerification = VerificationRequest.extend(jobTerms).meta({
  id: 'NewVerification',
  description: 'An eStargz image to verify, what it should hold, and how to go about the job.',
  examples: [
    {
      reference: 'registry.example/team/app:1.0-esgz',
      source: 'registry.example/team/app:1.0',
      labels: { pipeline: '4711' },
    },
  ],
})

const VerificationPage = z
  .object({ items: z.array(VerificationSummary), next: z.string().optional() })
  .meta({ id: 'VerificationPage', description: 'Verifications, newest first.' })

/** Asking for verifications, and finding them. */
export function verificationRoutes(services: Services): FastifyPluginAsyncZod {
  const { jobs, analyses, checkAllowed } = services
  const resource = verificationResource(services)
  const { shown } = resource
  return async (app) => {
    app.post(
      '/v1/verifications',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'createVerification',
          summary: 'Verify an eStargz image',
          description:
            'Reads every layer and checks the digests of tables of contents, chunks and files, and diffIDs; with a source, that both root file systems hold the same. While a verification that would do the same is queued or running, it is the answer.',
          body: NewVerification,
          response: {
            200: Verification.describe('It is over already, or was there before.'),
            202: Verification.describe('It is accepted.'),
            ...problems(400, 403, 409, 422, 503, 507),
          },
        },
      },
      async (request, reply) => {
        const { labels, priority, callbackUrl, ...asked } = request.body
        assertCallbackAllowed(callbackUrl, services)
        const { reference, source, platforms } = asked
        checkAllowed(reference)
        if (source !== undefined) checkAllowed(source)
        if (platforms) {
          const image = { source: reference, platforms, at: 'body' }
          await assertAcceptablePlatforms([image], analyses, request.abandoned)
        }
        const accepted = await jobs.create({
          kind: 'verification',
          source: canonicalImage(reference),
          target: '',
          ...(source !== undefined && { comparedWith: canonicalImage(source) }),
          sourceHost: parseReference(reference).host,
          request: asked,
          ...termsOf({ labels, priority, callbackUrl }),
          requestKey: request.idempotencyKey,
        })
        const job = await waitAsPreferred(jobs, await acceptedJob(jobs, accepted), request, reply)
        const going = accepted.outcome === 'created' && job.finishedAt === undefined
        reply.header('location', `/v1/verifications/${job.id}`)
        return reply.code(going ? 202 : 200).send(await shown(job))
      },
    )
    app.get(
      '/v1/verifications',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'listVerifications',
          summary: 'List verifications, newest first',
          querystring: z.object({
            reference: ReferenceText.optional().describe('The image that is verified.'),
            source: ReferenceText.optional().describe('The image that it is compared with.'),
            ...jobQuery,
          }),
          response: { 200: VerificationPage, ...problems(400, 503) },
        },
      },
      async (request) => {
        const { reference, source, limit, cursor } = request.query
        const filter = {
          ...jobFilter(request.query),
          ...(reference !== undefined && { source: canonicalImage(reference) }),
          ...(source !== undefined && { comparedWith: canonicalImage(source) }),
        }
        const page = await jobs.list('verification', filter, { limit, ...(cursor && { after: cursor }) })
        return { ...page, items: page.items.map(verificationSummary) }
      },
    )
    app.get(
      '/v1/verifications/:id',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'getVerification',
          summary: 'Show a verification, its attempts and what it found',
          description:
            'With `Prefer: wait=SECONDS` it answers when the verification is over, or after that time.',
          params: Id,
          response: { 200: Verification, ...problems(400, 404, 503) },
        },
      },
      async (request, reply) => {
        const job = await jobs.get('verification', request.params.id)
        if (!job) throw jobNotFound(resource, request.params.id)
        return shown(await waitAsPreferred(jobs, job, request, reply))
      },
    )
  }
}

/** Verifications as jobs, for the routes that go for all kinds. */
export function verificationResource({ jobs }: Services) {
  return {
    kind: 'verification',
    path: '/v1/verifications',
    tag: 'verifications',
    name: 'Verification',
    view: Verification,
    shown: async (job: Job) => verificationView(job, job.attempt === 0 ? [] : await jobs.attempts(job.id)),
  } satisfies JobResource
}
