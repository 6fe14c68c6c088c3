import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { RetentionRules } from '../../records/retention/rules.ts'
import type { Removed, RetentionPlan } from '../../records/retention/service.ts'
import { isoTime, Moment } from '../parameters.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const RetentionRequest = z
  .strictObject({
    rules: RetentionRules,
    recordImages: z
      .boolean()
      .optional()
      .describe('Whether record images in the backing registry are meant too; those of other tools stay.'),
    plan: Digest.optional().describe('Of the dry run: removes what it named. Left out: a dry run.'),
  })
  .meta({
    id: 'RetentionRequest',
    description: 'Rules to remove old records by; without a plan, a dry run.',
    examples: [{ rules: { keepNewest: 5, maxAgeDays: 90 }, recordImages: true }],
  })

const outcome = {
  reason: z.string(),
  removed: z.boolean().optional().describe('Not in a dry run.'),
  problem: z.string().optional().describe('Why it is still there.'),
}

const RetentionReport = z
  .object({
    dryRun: z.boolean(),
    plan: Digest.describe('Send it with the same rules to remove what is named here.'),
    records: z.array(
      z.object({
        id: z.string(),
        image: z.string().optional(),
        workload: z.string().optional(),
        createdAt: Moment,
        ...outcome,
      }),
    ),
    recordImages: z.array(
      z.object({
        reference: z.string(),
        digest: Digest,
        image: z.string().optional(),
        workload: z.string().optional(),
        created: z.string().optional(),
        ...outcome,
      }),
    ),
    more: z.boolean().describe('Whether more would go than one run removes.'),
  })
  .meta({ id: 'RetentionReport', description: 'What the rules remove, or removed.' })

export function retentionRoutes({ analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/retention',
      {
        schema: {
          tags: ['records'],
          operationId: 'applyRetention',
          summary: 'Remove old records and record images, dry run first',
          description:
            'Without `plan` nothing is removed: the answer names what would go, and the plan. With that plan it goes, unless it would be something else by now (409).',
          body: RetentionRequest,
          response: { 200: RetentionReport, ...problems(400, 403, 409, 422, 502, 503, 504, 507) },
        },
      },
      async (request) => {
        const { rules, recordImages = false, plan } = request.body
        const { abandoned: signal } = request
        const outcome = await analyses.retention({ rules, recordImages, plan }, { signal })
        return reportOf(outcome.plan, outcome.removed)
      },
    )
  }
}

function reportOf(
  plan: RetentionPlan,
  done: ReadonlyMap<string, Removed> | undefined,
): z.infer<typeof RetentionReport> {
  return {
    dryRun: done === undefined,
    plan: Digest.parse(plan.plan),
    records: plan.records.map(({ record, reason }) => ({
      id: record.id,
      image: record.image,
      workload: record.workload,
      createdAt: isoTime(record.createdAt),
      reason,
      ...done?.get(record.id),
    })),
    recordImages: plan.recordImages.map(({ image, reason }) => ({
      reference: image.reference,
      digest: image.digest,
      image: image.image,
      workload: image.workload,
      created: image.created,
      reason,
      ...done?.get(image.reference),
    })),
    more: plan.more,
  }
}
