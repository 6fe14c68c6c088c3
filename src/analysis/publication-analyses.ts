import type { RecordPublisher } from '../records/images/record-publisher.ts'
import { RecordImageDocument } from '../records/images/schemas.ts'
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
import type { CatalogueServices } from './catalogue-analyses.ts'
import { toJsonBody } from './document-body.ts'

type PublicationServices = {
  readonly publisher: RecordPublisher
  readonly retention: RetentionService
  readonly catalogue: Pick<CatalogueServices, 'feed'>
}

/** The analyses of record images, and the retention of records. */
export class PublicationAnalyses implements Pick<Analyses, 'publish' | 'readRecordImage' | 'applyRetention'> {
  readonly #services: PublicationServices

  constructor(services: PublicationServices) {
    this.#services = services
  }

  async publish(
    { record, reference, attachTo, overwrite }: PublishRequest,
    { signal, caller }: AnalysisContext,
  ): Promise<PublishedRecord> {
    const { publisher, catalogue } = this.#services
    const published = await publisher.publish(record, {
      ...(reference !== undefined && { reference }),
      ...(attachTo !== undefined && { attachTo }),
      ...(overwrite !== undefined && { overwrite }),
      signal,
    })
    await catalogue.feed.addPublication(published, caller.project)
    const { digest, createdAt, subject } = published
    return { reference: published.reference, digest, createdAt, ...(subject && { subject: subject.digest }) }
  }

  async readRecordImage(
    { reference }: Parameters<Analyses['readRecordImage']>[0],
    { signal }: AnalysisContext,
  ): Promise<DocumentBody> {
    return toJsonBody(RecordImageDocument.parse(await this.#services.publisher.read(reference, signal)))
  }

  async applyRetention(
    { rules, recordImages, plan: planId }: RetentionRequest,
    { signal }: AnalysisContext,
  ): Promise<RetentionResult> {
    const { retention, catalogue } = this.#services
    const request = { rules, recordImages, signal }
    if (planId === undefined) return { plan: await retention.plan(request) }
    const { plan, results } = await retention.run(request, planId)
    const removed = plan.recordImages.filter(({ image }) => results.get(image.reference)?.removed)
    await catalogue.feed.removeManifests(removed.map(({ image }) => image))
    return { plan, removed: results }
  }
}
