import { digestOf } from '../../oci/digest.ts'
import { parseReference } from '../../oci/reference.ts'
import type { Repository } from '../../registry/repository.ts'
import type { RepositoryLocation } from '../images/record-finder.ts'
import type { ListedRecordImage, RecordPublisher } from '../images/record-publisher.ts'
import type { ProjectRecords } from '../project-records.ts'
import type { StoredRecord } from '../stored-record.ts'
import { type RetentionRules, selectRemovals } from './retention-rules.ts'

const PAGE_SIZE = 500
/** The most removals of one run; the next run continues. */
const MAX_REMOVALS = 1000

/** The removals of one run. */
export type RetentionPlan = {
  /** Identifies the plan: the same items and rules have the same digest. */
  readonly digest: string
  readonly records: readonly { readonly record: StoredRecord; readonly reason: string }[]
  readonly recordImages: readonly { readonly image: ListedRecordImage; readonly reason: string }[]
  /** Whether the rules remove more than one run may. */
  readonly hasMore: boolean
}

export type RemovalResult = { readonly removed: boolean; readonly problem?: string | undefined }

/** The removals differ from those of the plan that was approved. */
export class PlanChangedError extends Error {
  override readonly name = 'PlanChangedError'
  readonly code = 'PLAN_CHANGED'
}

export type RetentionServiceOptions = {
  readonly store: ProjectRecords
  readonly publisher: RecordPublisher
  readonly openRepository: (location: RepositoryLocation) => Repository
  /** Record images of other repositories stay, and are not listed. */
  readonly mayDelete: (location: RepositoryLocation) => boolean
  /** Returns the current time in milliseconds since 1970. */
  readonly now: () => number
}

export type RetentionRequest = {
  readonly rules: RetentionRules
  /** Whether to also remove record images of the backing registry. */
  readonly recordImages: boolean
  readonly signal?: AbortSignal | undefined
}

/** Removes old records and record images in two steps: it plans the removals, and runs an approved plan. */
export class RetentionService {
  readonly #options: RetentionServiceOptions

  constructor(options: RetentionServiceOptions) {
    this.#options = options
  }

  /** Returns the current removals without executing them. @throws RegistryError */
  async plan({ rules, recordImages, signal }: RetentionRequest): Promise<RetentionPlan> {
    const now = this.#options.now()
    const allRecords = selectRemovals(await this.#listRecords(), rules, now).map(({ item, reason }) => ({
      record: item.record,
      reason,
    }))
    const allImages = recordImages ? await this.#selectImageRemovals(rules, now, signal) : []
    const records = allRecords.slice(0, MAX_REMOVALS)
    const images = allImages.slice(0, MAX_REMOVALS - records.length)
    const names = [
      ...records.map(({ record }) => record.id),
      ...images.map(({ image }) => `${image.reference} ${image.digest}`),
    ]
    return {
      digest: digestOf(JSON.stringify([rules, recordImages, names.toSorted()])),
      records,
      recordImages: images,
      hasMore: allRecords.length + allImages.length > names.length,
    }
  }

  /**
   * Executes a plan. The results name records that unfinished conversions need, and record images that the
   * registry does not delete; both stay.
   * @param planDigest of the approved plan
   * @throws PlanChanged if the removals have changed; RegistryError
   */
  async run(
    request: RetentionRequest,
    planDigest: string,
  ): Promise<{ plan: RetentionPlan; results: Map<string, RemovalResult> }> {
    const plan = await this.plan(request)
    if (plan.digest !== planDigest) {
      throw new PlanChangedError('the removals have changed since this plan; review a new dry run first')
    }
    const results = new Map<string, RemovalResult>()
    for (const { record } of plan.records) {
      const outcome = await this.#options.store.remove(record.id)
      const problem = outcome === 'needed' ? 'an unfinished conversion needs this record' : undefined
      results.set(record.id, { removed: outcome !== 'needed', problem })
    }
    for (const { image } of plan.recordImages) {
      results.set(image.reference, await this.#removeImage(image, request.signal))
    }
    return { plan, results }
  }

  async #removeImage(
    { reference, digest }: ListedRecordImage,
    signal: AbortSignal | undefined,
  ): Promise<RemovalResult> {
    try {
      await this.#options.openRepository(parseReference(reference)).deleteManifest(digest, { signal })
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string }
      signal?.throwIfAborted()
      if (typeof code !== 'string') throw error
      // NOT_FOUND: the image was already deleted under another tag.
      if (code !== 'NOT_FOUND') return { removed: false, problem: message }
    }
    await this.#options.store.removePublication(reference, digest)
    return { removed: true }
  }

  async #listRecords() {
    const records: StoredRecord[] = []
    let after: string | undefined
    do {
      const page = await this.#options.store.list({}, { after, limit: PAGE_SIZE })
      records.push(...page.items)
      after = page.next
    } while (after !== undefined)
    return records.map((record) => ({
      record,
      image: record.image,
      workload: record.workload,
      createdAt: record.createdAt,
      isPublished: record.publications.length > 0,
    }))
  }

  /**
   * Selects record images of this broker only, and none that has a tag to keep, because deleting an image
   * deletes all of its tags.
   */
  async #selectImageRemovals(rules: RetentionRules, now: number, signal: AbortSignal | undefined) {
    const images = await Array.fromAsync(this.#options.publisher.listAll(signal, this.#options.mayDelete))
    const items = images
      .filter(({ entryCount }) => entryCount !== undefined)
      .map((listed) => ({
        listed,
        image: listed.image,
        workload: listed.workload,
        createdAt: listed.createdAt === undefined ? undefined : Date.parse(listed.createdAt) || undefined,
        isPublished: false,
      }))
    const removals = selectRemovals(items, rules, now)
    const keyOf = ({ reference, digest }: ListedRecordImage) =>
      `${reference.replace(/:[^:/]*$/, '')}@${digest}`
    const removedReferences = new Set(removals.map(({ item }) => item.listed.reference))
    const keptImages = new Set(images.filter(({ reference }) => !removedReferences.has(reference)).map(keyOf))
    return removals
      .filter(({ item }) => !keptImages.has(keyOf(item.listed)))
      .map(({ item, reason }) => ({ image: item.listed, reason }))
  }
}
