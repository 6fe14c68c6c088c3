import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { Digest } from '../../oci/digest-schema.ts'
import { RetentionRules } from '../../records/retention/retention-rules.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { requires } from '../access/security.ts'
import { problemResponses } from '../problem.ts'
import type { Services } from '../services.ts'
import { RetentionReport, retentionReport } from './view.ts'

const RetentionRequest = z
  .strictObject({
    rules: RetentionRules,
    recordImages: z
      .boolean()
      .optional()
      .describe(
        'Whether to also remove record images from the backing registry. Those of other tools are never removed.',
      ),
    plan: Digest.optional().describe(
      'The plan of a dry run; removes what that dry run listed. If omitted, this is a dry run.',
    ),
  })
  .meta({
    id: 'RetentionRequest',
    description: 'The rules that decide which old records to remove. Without a plan, a dry run.',
    examples: [{ rules: { keepNewest: 5, maxAgeDays: 90 }, recordImages: true }],
  })

/** Removes old records and record images. */
export function retentionRoutes(analyses: Services['analyses']): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/retention',
      {
        schema: {
          tags: ['records'],
          operationId: 'applyRetention',
          security: requires('records:delete'),
          summary: 'Remove old records and record images, after a dry run',
          description:
            'Without `plan`, nothing is removed: the response lists what the rules would remove, and the plan. With that plan, the same items are removed; if the rules would select different items by now, the response is 409.',
          body: RetentionRequest,
          response: { 200: RetentionReport, ...problemResponses(400, 403, 409, 422, 502, 503, 504, 507) },
        },
      },
      async (request) => {
        const { rules, recordImages = false, plan } = request.body
        const result = await analyses.applyRetention({ rules, recordImages, plan }, analysisContext(request))
        return retentionReport(result.plan, result.removed)
      },
    )
  }
}
