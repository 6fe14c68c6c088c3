import { allOrAbort } from '../concurrency/all-or-abort.ts'
import { type EvaluationServices, evaluateRecord, retargetRecord } from '../conversion/evaluate.ts'
import { inspectImage } from '../conversion/inspect.ts'
import { ImageInspection } from '../conversion/report.ts'
import { checkPlatforms } from '../conversion/source/check-platforms.ts'
import { provenanceOf } from '../records/combine/provenance-of.ts'
import { RecordEvaluation } from '../records/evaluation.ts'
import type { ProjectRecords } from '../records/project-records.ts'
import type {
  Analyses,
  AnalysisContext,
  DocumentBody,
  PlatformProblem,
  RetargetRequest,
  RetargetResult,
} from './analyses.ts'
import { toJsonBody } from './document-body.ts'

const MAX_CONCURRENT_IMAGES = 8

/** The analyses of images, and of records in images. */
export class ImageAnalyses implements Pick<Analyses, 'evaluate' | 'retarget' | 'inspect' | 'checkPlatforms'> {
  readonly #records: ProjectRecords
  readonly #services: EvaluationServices

  constructor(records: ProjectRecords, services: EvaluationServices) {
    this.#records = records
    this.#services = services
  }

  async evaluate(
    { record: id, ...request }: Parameters<Analyses['evaluate']>[0],
    { signal }: AnalysisContext,
  ): Promise<DocumentBody | undefined> {
    const stored = await this.#records.read(id)
    if (!stored) return undefined
    const record = { entries: stored.entries, image: stored.record.image }
    const evaluation = await evaluateRecord(record, request, this.#services, signal)
    return toJsonBody(RecordEvaluation.parse(evaluation))
  }

  async retarget(
    { record: id, target, platform, workload, labels }: RetargetRequest,
    { signal }: AnalysisContext,
  ): Promise<RetargetResult> {
    const source = await this.#records.read(id)
    if (!source) return { kind: 'missing' }
    const record = { entries: source.entries, image: source.record.image }
    const retargeted = await retargetRecord(record, { image: target, platform }, this.#services, signal)
    const { entries, image, use } = retargeted
    const lost = use.notFoundCount + use.hiddenCount
    const stored = await this.#records.add({
      entries,
      format: 'stargz-record',
      image,
      workload: workload ?? source.record.workload,
      labels: labels ?? {},
      provenance: { kind: 'retarget', ...provenanceOf([source.record]), target: image, lostCount: lost },
    })
    return { kind: 'stored', ...stored, platform: retargeted.platform, lost, use }
  }

  async inspect(
    { reference }: Parameters<Analyses['inspect']>[0],
    { signal }: AnalysisContext,
  ): Promise<DocumentBody> {
    return toJsonBody(ImageInspection.parse(await inspectImage(reference, this.#services, signal)))
  }

  async checkPlatforms(
    { images }: Parameters<Analyses['checkPlatforms']>[0],
    { signal }: AnalysisContext,
  ): Promise<PlatformProblem[]> {
    const { registries, bounds } = this.#services
    const results = await allOrAbort(
      images,
      signal,
      async ({ source, platforms }, position, taskSignal): Promise<PlatformProblem | undefined> => {
        try {
          await checkPlatforms(source, platforms, { registries, bounds, signal: taskSignal })
          return undefined
        } catch (error) {
          taskSignal.throwIfAborted()
          const { code, message } = error as { code?: unknown; message: string }
          if (typeof code !== 'string') throw error
          return { position, code, message }
        }
      },
      MAX_CONCURRENT_IMAGES,
    )
    return results.filter((problem) => problem !== undefined)
  }
}
