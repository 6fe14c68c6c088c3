import type { Analyses, AnalysisContext, AnalysisName, DocumentBody } from './analyses.ts'
import type { AnalyzerPool } from './pool.ts'

/** Analyses that ask no registry. */
const LOCAL: ReadonlySet<AnalysisName> = new Set(['upload', 'content', 'merge', 'diff'])

/** The analyses, done by the processes of a pool. */
export function pooledAnalyses(pool: AnalyzerPool): Analyses {
  const act =
    (name: AnalysisName) =>
    (request: unknown, context: AnalysisContext & { readonly input?: AsyncIterable<Uint8Array> }) =>
      pool.run({ name, request, ...context }, !LOCAL.has(name)) as Promise<never>
  return {
    upload: act('upload'),
    content: act('content'),
    merge: act('merge'),
    diff: act('diff'),
    evaluate: act('evaluate'),
    retarget: act('retarget'),
    publish: act('publish'),
    recordImages: act('recordImages'),
    recordImage: act('recordImage'),
    retention: act('retention'),
    inspect: act('inspect'),
    checkPlatforms: act('checkPlatforms'),
  }
}

/** Whether a result is a document. */
export function isDocument(result: unknown): result is DocumentBody {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}
