import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ReferenceText } from '../../oci/reference.ts'
import { RecordUse } from '../../records/resolve/record-use.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { assertPlaceAllows } from '../access/project-placement.ts'
import { requires } from '../access/security.ts'
import { Labels, PlatformName, Workload } from '../parameters.ts'
import { problemResponses, recordNotFound } from '../problem.ts'
import type { Services } from '../services.ts'
import { RecordView, recordView } from './view.ts'

const RetargetRequest = z
  .strictObject({
    image: ReferenceText.describe(
      'The image to apply the record to: another version of the profiled image, or one for another architecture.',
    ),
    platform: PlatformName.optional().describe(
      'The platform of the image in an index. Required if the index has several.',
    ),
    workload: Workload.optional().describe('Default: the workload of the record.'),
    labels: Labels.optional(),
  })
  .meta({
    id: 'RetargetRequest',
    description: 'The image that the record is applied to.',
    examples: [{ image: 'registry.example/team/app:1.1', platform: 'linux/arm64' }],
  })

const Retargeted = z
  .object({
    record: RecordView,
    platform: z.string(),
    lostCount: z
      .int()
      .nonnegative()
      .describe('The number of recorded paths that the image does not have, or that an upper layer hides.'),
    share: z.number().min(0).max(1).describe('`lostCount` divided by the number of recorded paths.'),
    use: RecordUse.describe('How the recorded paths apply to the image, including the lost ones.'),
  })
  .meta({ id: 'RetargetedRecord', description: 'The new record, and the paths that were lost.' })

/** Applies records to other images. */
export function retargetRoutes(
  services: Pick<Services, 'analyses' | 'projects' | 'names'>,
): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/:id/retargets',
      {
        schema: {
          tags: ['records'],
          operationId: 'retargetRecord',
          security: requires('records:write'),
          summary: 'Create a record for another image from an existing one',
          description:
            'Applies the record by path: the new record has the paths that the image has. The response lists the lost paths, each with the most similar path in the image. The new record belongs to that image.',
          params: z.object({ id: z.uuid() }),
          body: RetargetRequest,
          response: {
            200: Retargeted.describe('The record already existed.'),
            201: Retargeted.describe('The record was created.'),
            ...problemResponses(400, 403, 404, 422, 429, 502, 503, 504, 507),
          },
        },
      },
      async (request, reply) => {
        const { image: target, platform, workload, labels } = request.body
        await assertPlaceAllows({ read: [target] }, 'result', { caller: request.caller, services })
        const result = await services.analyses.retarget(
          { record: request.params.id, target, platform, workload, labels },
          analysisContext(request),
        )
        if (result.kind === 'missing') throw recordNotFound(request.params.id)
        const { record, created, lost, use } = result
        reply.header('location', `/v1/records/${record.id}`)
        return reply.code(created ? 201 : 200).send({
          record: recordView(record),
          platform: result.platform,
          lostCount: lost,
          share: lost / use.pathCount,
          use,
        })
      },
    )
  }
}
