import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { VerificationProgress, VerificationReport } from '../../conversion/report.ts'
import { VerificationRequest } from '../../conversion/request.ts'
import type { Job } from '../../jobs/job.ts'
import { parseReference } from '../../oci/reference.ts'
import { JobStateView, jobFields, jobView } from '../job-view.ts'
import { canonicalImage, Id, Paging, signalOf } from '../parameters.ts'
import { waitAsPreferred } from '../prefer.ts'
import { HttpError, problems } from '../problem.ts'
import { EXAMPLE_ID } from '../record-view.ts'
import type { Services } from '../services.ts'

const example = {
  id: EXAMPLE_ID,
  state: 'queued' as const,
  attempt: 0,
  createdAt: '2026-01-02T03:04:05.678Z',
  reference: 'registry.example/team/app:1.0-esgz',
}

const VerificationSummary = z
  .object({ ...jobFields, reference: z.string() })
  .meta({ id: 'VerificationSummary', description: 'A verification in a listing.', examples: [example] })

const Verification = z
  .object({
    ...jobFields,
    reference: z.string(),
    request: VerificationRequest,
    progress: VerificationProgress.optional().describe('While it runs.'),
    report: VerificationReport.optional().describe('When it could be done; `verified` says how it came out.'),
  })
  .meta({
    id: 'Verification',
    description: 'A job that verifies an image.',
    examples: [{ ...example, request: { reference: example.reference } }],
  })

const VerificationPage = z
  .object({ items: z.array(VerificationSummary), next: z.string().optional() })
  .meta({ id: 'VerificationPage', description: 'Verifications, newest first.' })

export function verificationRoutes({ jobs, checkAllowed, checkPlatforms }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/verifications',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'createVerification',
          summary: 'Verify an eStargz image',
          description:
            'Reads every layer and checks the digests of tables of contents, chunks and files, and diffIDs; with a source, that both root file systems hold the same.',
          body: VerificationRequest,
          response: {
            200: Verification.describe('It is over already, or was there before.'),
            202: Verification.describe('It is accepted.'),
            ...problems(400, 403, 409, 422, 503),
          },
        },
      },
      async (request, reply) => {
        const { body } = request
        for (const reference of [body.reference, body.source]) {
          if (reference !== undefined) checkAllowed(reference)
        }
        if (body.platforms) await checkPlatforms(body.reference, body.platforms, signalOf(reply))
        const source = canonicalImage(body.reference)
        const accepted = await jobs.create({
          kind: 'verification',
          source,
          target: '',
          sourceHost: parseReference(body.reference).host,
          request: body,
          requestKey: request.idempotencyKey,
        })
        const job = await waitAsPreferred(jobs, accepted.job, request, reply)
        const going = accepted.outcome === 'created' && job.finishedAt === undefined
        reply.header('location', `/v1/verifications/${job.id}`)
        return reply.code(going ? 202 : 200).send(verificationView(job))
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
            state: JobStateView.optional(),
            ...Paging,
            cursor: z.uuid().optional().describe('`next` of the page before.'),
          }),
          response: { 200: VerificationPage, ...problems(400) },
        },
      },
      async (request) => {
        const { state, limit, cursor } = request.query
        const page = await jobs.list('verification', state ? { states: [state] } : {}, {
          limit,
          ...(cursor && { after: cursor }),
        })
        return { ...page, items: page.items.map((job) => ({ ...jobView(job), reference: job.source })) }
      },
    )
    app.get(
      '/v1/verifications/:id',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'getVerification',
          summary: 'Show a verification and what it found',
          params: Id,
          response: { 200: Verification, ...problems(400, 404) },
        },
      },
      async (request, reply) => {
        const job = await jobs.get('verification', request.params.id)
        if (!job) throw new HttpError(404, 'NOT_FOUND', `there is no verification ${request.params.id}`)
        return verificationView(await waitAsPreferred(jobs, job, request, reply))
      },
    )
  }
}

function verificationView(job: Job): z.infer<typeof Verification> {
  return {
    ...jobView(job),
    reference: job.source,
    request: job.request as VerificationRequest,
    ...(job.state === 'running' && job.progress !== undefined
      ? { progress: job.progress as VerificationProgress }
      : {}),
    ...(job.report !== undefined ? { report: job.report as VerificationReport } : {}),
  }
}
