import { traced } from '../tracing/spans.ts'
import type { Analyses, AnalysisContext, AnalysisKind } from './analyses.ts'
import type { AnalyzerPool } from './analyzer-pool.ts'

/** Analyses that send no requests to registries. */
const LOCAL: ReadonlySet<AnalysisKind> = new Set(['upload', 'readContent', 'merge', 'diff'])

/** Creates analyses that run in the processes of a pool. */
export function createPooledAnalyses(pool: AnalyzerPool): Analyses {
  const inPool =
    (analysis: AnalysisKind) =>
    (request: unknown, context: AnalysisContext & { readonly input?: AsyncIterable<Uint8Array> }) =>
      traced(`analysis: ${analysis}`, { kind: 'client' }, () =>
        pool.run({ analysis, request, ...context }, !LOCAL.has(analysis)),
      ) as Promise<never>
  return {
    upload: inPool('upload'),
    readContent: inPool('readContent'),
    merge: inPool('merge'),
    diff: inPool('diff'),
    evaluate: inPool('evaluate'),
    retarget: inPool('retarget'),
    publish: inPool('publish'),
    refreshCatalogue: inPool('refreshCatalogue'),
    updateCatalogue: inPool('updateCatalogue'),
    readRecordImage: inPool('readRecordImage'),
    applyRetention: inPool('applyRetention'),
    inspect: inPool('inspect'),
    checkPlatforms: inPool('checkPlatforms'),
  }
}
