import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { EvaluationRequest, RecordEvaluation } from '../../records/evaluation.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { assertPlaceAllows } from '../access/project-placement.ts'
import { requires } from '../access/security.ts'
import { IdParams } from '../parameters.ts'
import { problemResponses, recordNotFound } from '../problem.ts'
import { sendDocument } from '../send-document.ts'
import type { Services } from '../services.ts'

/** Evaluates records against images. */
export function evaluationRoutes(
  services: Pick<Services, 'analyses' | 'projects' | 'names'>,
): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/:id/evaluations',
      {
        schema: {
          tags: ['records'],
          operationId: 'evaluateRecord',
          security: requires('records:read'),
          summary: 'Evaluate a record against an image, without converting the image',
          description:
            'Reports which recorded paths the image has, what a start would prefetch, how much of the profiled content has changed, and what a lazy pull fetches with and without the record. Layers with a table of contents are not downloaded; other layers are read completely, which takes time.',
          params: IdParams,
          body: EvaluationRequest,
          response: { 200: RecordEvaluation, ...problemResponses(400, 403, 404, 422, 502, 503, 504, 507) },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const { caller, body } = request
        await assertPlaceAllows({ read: [body.image] }, 'result', { caller, services })
        const evaluation = await services.analyses.evaluate({ record: id, ...body }, analysisContext(request))
        if (!evaluation) throw recordNotFound(id)
        return sendDocument(reply, 'application/json', evaluation)
      },
    )
  }
}
