import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { EvaluationRequest, RecordEvaluation } from '../../records/evaluation.ts'
import { sendDocument } from '../document.ts'
import { Id } from '../parameters.ts'
import { problems, recordNotFound } from '../problem.ts'
import type { Services } from '../services.ts'

export function evaluationRoutes({ analyses }: Services): FastifyPluginAsyncZod {
  return async (app) => {
    app.post(
      '/v1/records/:id/evaluations',
      {
        schema: {
          tags: ['records'],
          operationId: 'evaluateRecord',
          summary: 'Say what a record is worth in an image, without converting it',
          description:
            'What becomes of each recorded path, what a start would prefetch, how much of the profiled content has changed, and what a lazy pull fetches with the record and without it. Layers with a table of contents are not downloaded; others are read whole, which takes its time.',
          params: Id,
          body: EvaluationRequest,
          response: { 200: RecordEvaluation, ...problems(400, 403, 404, 422, 502, 503, 504, 507) },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const { abandoned: signal } = request
        const evaluation = await analyses.evaluate({ record: id, ...request.body }, { signal })
        if (!evaluation) throw recordNotFound(id)
        return sendDocument(reply, 'application/json', evaluation)
      },
    )
  }
}
