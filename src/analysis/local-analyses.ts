import type { DiskSpace } from '../bytes/disk-space.ts'
import type { EvaluationServices } from '../conversion/evaluate.ts'
import type { ProjectKeys } from '../jobs/queue/idempotency-keys.ts'
import type { RecordPublisher } from '../records/images/record-publisher.ts'
import type { RecordLimits } from '../records/model.ts'
import type { ProjectRecords } from '../records/project-records.ts'
import type { RetentionService } from '../records/retention/retention-service.ts'
import type { Analyses } from './analyses.ts'
import { CatalogueAnalyses, type CatalogueServices } from './catalogue-analyses.ts'
import { ImageAnalyses } from './image-analyses.ts'
import { type DefectListener, ProfiledImageCheck } from './profiled-image-check.ts'
import { PublicationAnalyses } from './publication-analyses.ts'
import { RecordAnalyses } from './record-analyses.ts'

export type LocalAnalysisServices = {
  readonly images: EvaluationServices
  readonly records: ProjectRecords
  readonly publisher: RecordPublisher
  readonly retention: RetentionService
  readonly catalogue: CatalogueServices
  readonly idempotencyKeys: ProjectKeys
  readonly recordLimits: RecordLimits
  readonly onDefect?: DefectListener | undefined
  /** The disk with the records; omitted if they are on another machine, which then monitors its own disk. */
  readonly diskSpace?: DiskSpace | undefined
}

/** Creates analyses that run in this process. */
export function createLocalAnalyses(services: LocalAnalysisServices): Analyses {
  const { images, records, publisher, retention, catalogue, idempotencyKeys, recordLimits, diskSpace } =
    services
  const imageCheck = new ProfiledImageCheck(images, services.onDefect)
  const recordAnalyses = new RecordAnalyses({ records, idempotencyKeys, recordLimits, imageCheck, diskSpace })
  const imageAnalyses = new ImageAnalyses(records, images)
  const publicationAnalyses = new PublicationAnalyses({ publisher, retention, catalogue })
  const catalogueAnalyses = new CatalogueAnalyses(catalogue)
  return {
    upload: (request, context) => recordAnalyses.upload(request, context),
    readContent: (request) => recordAnalyses.readContent(request),
    merge: (request) => recordAnalyses.merge(request),
    diff: (request) => recordAnalyses.diff(request),
    evaluate: (request, context) => imageAnalyses.evaluate(request, context),
    retarget: (request, context) => imageAnalyses.retarget(request, context),
    inspect: (request, context) => imageAnalyses.inspect(request, context),
    checkPlatforms: (request, context) => imageAnalyses.checkPlatforms(request, context),
    publish: (request, context) => publicationAnalyses.publish(request, context),
    refreshCatalogue: (request, context) => catalogueAnalyses.refreshCatalogue(request, context),
    updateCatalogue: (request, context) => catalogueAnalyses.updateCatalogue(request, context),
    readRecordImage: (request, context) => publicationAnalyses.readRecordImage(request, context),
    applyRetention: (request, context) => publicationAnalyses.applyRetention(request, context),
  }
}
