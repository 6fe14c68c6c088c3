import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ReferenceText } from '../../oci/reference.ts'
import { madeOf } from '../../records/provenance.ts'
import { RecordUse } from '../../records/quality.ts'
import { Labels, PlatformName, signalOf, Workload } from '../parameters.ts'
import { noRecord, problems } from '../problem.ts'
import { RecordView, recordView } from '../record-view.ts'
import type { Services } from '../services.ts'

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

export function retargetRoutes({ records, retarget }: Services): FastifyPluginAsyncZod {
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
            ...problems(400, 403, 404, 422, 502, 503),
          },
        },
      },
      async (request, reply) => {
        const { image, platform, workload, labels } = request.body
        const found = await records.read(request.params.id)
        if (!found) throw noRecord(request.params.id)
        const source = found.record
        const applied = await retarget(
          { entries: found.entries, image: source.image },
          { image, platform },
          signalOf(reply),
        )
        const { use } = applied
        const lost = use.notFoundCount + use.hiddenCount
        const { record, created } = await records.add({
          entries: applied.entries,
          format: 'stargz-record',
          image: applied.image,
          workload: workload ?? source.workload,
          labels: labels ?? {},
          provenance: {
            kind: 'retarget',
            ...madeOf([source]),
            target: applied.image,
            lost,
          },
        })
        reply.header('location', `/v1/records/${record.id}`)
        return reply.code(created ? 201 : 200).send({
          record: recordView(record),
          platform: applied.platform,
          lost,
          share: lost / use.paths,
          use,
        })
      },
    )
  }
}
