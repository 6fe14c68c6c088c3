import type { CallerAccess } from '../access/caller-access.ts'
import type { Analyses, AnalysisContext, AnalysisKind } from './analyses.ts'

/** Analyses with the stores and registries of one caller, until they are disposed of. */
export type OpenedAnalyses = AsyncDisposable & { readonly analyses: Analyses }

/**
 * Creates analyses that open what their caller may use for each request, and close it when the result is there: a
 * document is complete by then.
 */
export function analysesPerCaller(open: (caller: CallerAccess) => Promise<OpenedAnalyses>): Analyses {
  const opened =
    (analysis: AnalysisKind) =>
    async (request: unknown, context: AnalysisContext): Promise<never> => {
      await using session = await open(context.caller)
      const perform = session.analyses[analysis].bind(session.analyses) as (
        request: unknown,
        context: AnalysisContext,
      ) => Promise<unknown>
      return (await perform(request, context)) as never
    }
  return {
    upload: opened('upload'),
    readContent: opened('readContent'),
    merge: opened('merge'),
    diff: opened('diff'),
    evaluate: opened('evaluate'),
    retarget: opened('retarget'),
    publish: opened('publish'),
    refreshCatalogue: opened('refreshCatalogue'),
    updateCatalogue: opened('updateCatalogue'),
    readRecordImage: opened('readRecordImage'),
    applyRetention: opened('applyRetention'),
    inspect: opened('inspect'),
    checkPlatforms: opened('checkPlatforms'),
  }
}
