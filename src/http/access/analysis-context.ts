import type { FastifyRequest } from 'fastify'
import { serializeAccess } from '../../access/caller-access.ts'
import type { AnalysisContext } from '../../analysis/analyses.ts'

/** The context of an analysis for a request: it ends with the request, and sees what its caller may see. */
export function analysisContext({ abortSignal, caller }: FastifyRequest): AnalysisContext {
  return { signal: abortSignal, caller: serializeAccess(caller) }
}
