import type { RecordPublisher } from '../records/images/record-publisher.ts'
import { RecordImageDocument, RecordImagePageDocument } from '../records/images/schemas.ts'
import type { RetentionService } from '../records/retention/retention-service.ts'
import type {
  Analyses,
  AnalysisContext,
  DocumentBody,
  PublishedRecord,
  PublishRequest,
  RetentionRequest,
  RetentionResult,
} from './analyses.ts'
import { toJsonBody } from './document-body.ts'

/** The analyses of record images, and the retention of records. */
export class PublicationAnalyses
  implements Pick<Analyses, 'publish' | 'listRecordImages' | 'readRecordImage' | 'applyRetention'>
{
  readonly #publisher: RecordPublisher
  readonly #retention: RetentionService

  constructor(publisher: RecordPublisher, retention: RetentionService) {
    this.#publisher = publisher
    this.#retention = retention
  }

  publish(
    { record, reference, attachTo, overwrite }: PublishRequest,
    { signal }: AnalysisContext,
  ): Promise<PublishedRecord> {
    return this.#publisher.publish(record, {
      ...(reference !== undefined && { reference }),
      ...(attachTo !== undefined && { attachTo }),
      ...(overwrite !== undefined && { overwrite }),
      signal,
    })
  }

  async listRecordImages(
    request: Parameters<Analyses['listRecordImages']>[0],
    { signal }: AnalysisContext,
  ): Promise<DocumentBody> {
    const page = await this.#publisher.list({ ...request, signal })
    return toJsonBody(RecordImagePageDocument.parse(page))
  }

  async readRecordImage(
    { reference }: Parameters<Analyses['readRecordImage']>[0],
    { signal }: AnalysisContext,
  ): Promise<DocumentBody> {
    return toJsonBody(RecordImageDocument.parse(await this.#publisher.read(reference, signal)))
  }

  async applyRetention(
    { rules, recordImages, plan: planId }: RetentionRequest,
    { signal }: AnalysisContext,
  ): Promise<RetentionResult> {
    const request = { rules, recordImages, signal }
    if (planId === undefined) return { plan: await this.#retention.plan(request) }
    const { plan, results } = await this.#retention.run(request, planId)
    return { plan, removed: results }
  }
}
