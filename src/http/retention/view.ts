import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import type { RemovalResult, RetentionPlan } from '../../records/retention/retention-service.ts'
import { isoTime, Timestamp } from '../parameters.ts'

const removal = {
  reason: z.string().describe('Why the rules remove it.'),
  removed: z.boolean().optional().describe('Whether it was removed. Omitted in a dry run.'),
  problem: z.string().optional().describe('Why it could not be removed.'),
}

export const RetentionReport = z
  .object({
    dryRun: z.boolean(),
    plan: Digest.describe('Send this plan with the same rules to remove what the report lists.'),
    records: z.array(
      z.object({
        id: z.string(),
        image: z.string().optional(),
        workload: z.string().optional(),
        createdAt: Timestamp,
        ...removal,
      }),
    ),
    recordImages: z.array(
      z.object({
        reference: z.string(),
        digest: Digest,
        image: z.string().optional(),
        workload: z.string().optional(),
        createdAt: z.string().optional(),
        ...removal,
      }),
    ),
    more: z.boolean().describe('Whether the rules remove more than one run can.'),
  })
  .meta({
    id: 'RetentionReport',
    description: 'What the rules remove, or in a run with a plan, what they removed.',
  })

/** @param results the result of each removal, by record id and by reference; undefined for a dry run */
export function retentionReport(
  plan: RetentionPlan,
  results: ReadonlyMap<string, RemovalResult> | undefined,
): z.infer<typeof RetentionReport> {
  return {
    dryRun: results === undefined,
    plan: Digest.parse(plan.digest),
    records: plan.records.map(({ record, reason }) => ({
      id: record.id,
      image: record.image,
      workload: record.workload,
      createdAt: isoTime(record.createdAt),
      reason,
      ...removalView(results?.get(record.id)),
    })),
    recordImages: plan.recordImages.map(({ image, reason }) => ({
      reference: image.reference,
      digest: image.digest,
      image: image.image,
      workload: image.workload,
      createdAt: image.createdAt,
      reason,
      ...removalView(results?.get(image.reference)),
    })),
    more: plan.hasMore,
  }
}

function removalView(result: RemovalResult | undefined) {
  return result && { removed: result.removed, problem: result.problem }
}
