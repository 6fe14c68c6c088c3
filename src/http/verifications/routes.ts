import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ProjectScope } from '../../db/project-scope.ts'
import type { Job } from '../../jobs/job.ts'
import { listedScope, ProjectQuery } from '../access/listed-project.ts'
import { requires } from '../access/security.ts'
import { formatCursor, jobFilter, jobQuery, parseCursor } from '../jobs/job-filter.ts'
import { type JobResource, jobNotFound, loadViewWithWait } from '../jobs/job-resource.ts'
import type { JobValidator } from '../jobs/job-validator.ts'
import { loadAcceptedJob, originOf } from '../jobs/new-job.ts'
import { waitAsPreferred } from '../jobs/prefer-wait.ts'
import { IdParams } from '../parameters.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { verificationFilter, verificationQuery } from './filter.ts'
import { assertVerifiable, NewVerification, verificationJob } from './new-verification.ts'
import { Verification, VerificationSummary, verificationSummary, verificationView } from './view.ts'

const VerificationPage = z
  .object({ items: z.array(VerificationSummary), next: z.string().optional() })
  .meta({ id: 'VerificationPage', description: 'A page of verifications, newest first.' })

/** Creates, lists and shows verifications. */
export function verificationRoutes(
  { jobs, waits }: Pick<Services, 'jobs' | 'waits'>,
  resource: ReturnType<typeof verificationResource>,
  validator: JobValidator,
): FastifyPluginAsyncZod {
  const { loadView } = resource
  return async (app) => {
    app.post(
      '/v1/verifications',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'createVerification',
          security: requires('conversions:write'),
          summary: 'Verify an eStargz image',
          description:
            'Creates a job that reads every layer and checks the digests of tables of contents, chunks and files, and the diffIDs. With `source`, it also checks that both root file systems have the same content. If an equivalent verification is queued or running, the response shows that one instead.',
          body: NewVerification,
          response: {
            200: Verification.describe('The verification has finished or existed before.'),
            202: Verification.describe('The verification was accepted.'),
            ...problemResponses(400, 403, 409, 422, 429, 503, 507),
          },
        },
      },
      async (request, reply) => {
        await assertVerifiable(request.body, validator, request)
        const own = jobs.in(request.caller.projectScope)
        const accepted = await own.create(verificationJob(request.body, originOf(request)))
        const job = await waitAsPreferred(own, await loadAcceptedJob(own, accepted), request, reply)
        const isPending = accepted.outcome === 'created' && job.finishedAt === undefined
        reply.header('location', `/v1/verifications/${job.id}`)
        return reply.code(isPending ? 202 : 200).send(await loadView(job))
      },
    )
    app.get(
      '/v1/verifications',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'listVerifications',
          security: requires('conversions:read'),
          summary: 'List verifications, newest first',
          description:
            'With `finishedFrom` or `finishedBefore`, the list contains finished verifications only, and those that finished last come first.',
          querystring: z.object({
            ...verificationQuery,
            verified: z.enum(['true', 'false']).optional().describe('Only verifications with this result.'),
            ...jobQuery,
            ...ProjectQuery,
          }),
          response: { 200: VerificationPage, ...problemResponses(400, 503) },
        },
      },
      async (request) => {
        const { verified, limit, cursor, project } = request.query
        const filter = {
          ...jobFilter(request.query),
          ...verificationFilter(request.query),
          ...(verified !== undefined && { isVerified: verified === 'true' }),
        }
        const after = parseCursor(cursor, filter, 'querystring.cursor')
        const visible = jobs.in(listedScope(request.caller, project))
        const { items, next } = await visible.list('verification', filter, { limit, ...after })
        return { items: items.map(verificationSummary), ...(next && { next: formatCursor(next) }) }
      },
    )
    app.get(
      '/v1/verifications/:id',
      {
        schema: {
          tags: ['verifications'],
          operationId: 'getVerification',
          security: requires('conversions:read'),
          summary: 'Show a verification with its attempts and report',
          description:
            'With `Prefer: wait=SECONDS`, responds when the verification has finished, or after that time.',
          params: IdParams,
          response: { 200: Verification, ...problemResponses(400, 404, 503) },
        },
      },
      async (request, reply) => {
        const visible = jobs.in(request.caller.projectScope)
        const job = await visible.get('verification', request.params.id)
        if (!job) throw jobNotFound(resource, request.params.id)
        return loadViewWithWait(resource, waits, await waitAsPreferred(visible, job, request, reply))
      },
    )
  }
}

/** Describes verifications for the routes that all kinds of jobs share. */
export function verificationResource(jobs: Services['jobs']) {
  return {
    kind: 'verification',
    path: '/v1/verifications',
    tag: 'verifications',
    name: 'Verification',
    schema: Verification,
    loadView: async (job: Job) =>
      verificationView(
        job,
        job.attempt === 0 ? [] : await jobs.in(ProjectScope.of(job.project)).listAttempts(job),
      ),
  } satisfies JobResource
}
