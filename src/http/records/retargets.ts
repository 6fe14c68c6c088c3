import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ReferenceText } from '../../oci/reference.ts'
import { RecordUse } from '../../records/resolve/record-use.ts'
import { Labels, PlatformName, Workload } from '../parameters.ts'
import { problems, recordNotFound } from '../problem.ts'
import type { Services } from '../services.ts'
import { RecordView, recordView } from './view.ts'

const RetargetRequest = z
  .strictObject({
    image: ReferenceText.describe('Another version of the profiled image, or one of another architecture.'),
    platform: PlatformName.optional().describe('Which image of an index; needed where it has several.'),
    workload: Workload.optional().describe('Left out: that of the record.'),
    labels: Labels.optional(),
  })
  .meta({
    id: 'RetargetRequest',
    description: 'An image that a record is applied to by path.',
    examples: [{ image: 'registry.example/team/app:1.1', platform: 'linux/arm64' }],
  })

const Retargeted = z
  .object({
    record: RecordView,
    platform: z.string(),
    lost: z.int().nonnegative().describe('Recorded paths that the image has not, or hides.'),
    share: z.number().min(0).max(1).describe('lost / recorded paths.'),
    use: RecordUse.describe('What becomes of the record that was applied, lost paths included.'),
  })
  .meta({ id: 'RetargetedRecord', description: 'A record of another image, and what was lost on the way.' })

export function retargetRoutes({ analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/:id/retargets',
      {
        schema: {
          tags: ['records'],
          operationId: 'retargetRecord',
          summary: 'Apply a record to another image, into a new record',
          description:
            'By path: what the image has is taken, what it has not is lost, and named with what comes nearest to it. The new record belongs to that image.',
          params: z.object({ id: z.uuid() }),
          body: RetargetRequest,
          response: {
            200: Retargeted.describe('There is such a record already.'),
            201: Retargeted,
            ...problems(400, 403, 404, 422, 502, 503, 504, 507),
          },
        },
      },
      async (request, reply) => {
        const { image: target, platform, workload, labels } = request.body
        const { abandoned: signal } = request
        const outcome = await analyses.retarget(
          { record: request.params.id, target, platform, workload, labels },
          { signal },
        )
        if (outcome.kind === 'missing') throw recordNotFound(request.params.id)
        const { record, created, lost, use } = outcome
        reply.header('location', `/v1/records/${record.id}`)
        return reply.code(created ? 201 : 200).send({
          record: recordView(record),
          platform: outcome.platform,
          lost,
          share: lost / use.paths,
          use,
        })
      },
    )
  }
}
