import { digestOf } from '../../oci/digest.ts'
import { parseReference } from '../../oci/reference.ts'
import type { Place } from '../images/finder.ts'
import type { ListedRecordImage, RecordPublisher } from '../images/publisher.ts'
import type { Repository } from '../images/record-image.ts'
import type { RecordStore } from '../store.ts'
import type { StoredRecord } from '../stored-record.ts'
import { type RetentionRules, removals } from './rules.ts'

const PAGE = 500
/** Removals of one run: the next one goes on. */
const MAX_REMOVALS = 1000

/** What a run of the rules removes. */
export type RetentionPlan = {
  /** Tells one plan from another: the same items and rules have the same. */
  readonly plan: string
  readonly records: readonly { readonly record: StoredRecord; readonly reason: string }[]
  readonly recordImages: readonly { readonly image: ListedRecordImage; readonly reason: string }[]
  /** Whether more would go than one run removes. */
  readonly more: boolean
}

/** What became of one removal. */
export type Removed = { readonly removed: boolean; readonly problem?: string | undefined }

/** A plan that is no longer what would be done. */
export class PlanChanged extends Error {
  override readonly name = 'PlanChanged'
  readonly code = 'PLAN_CHANGED'
}

export type RetentionServiceOptions = {
  readonly store: RecordStore
  readonly publisher: RecordPublisher
  readonly repository: (at: Place) => Repository
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export type RetentionRequest = {
  readonly rules: RetentionRules
  /** Whether record images of the backing registry are meant too. */
  readonly recordImages: boolean
  readonly signal?: AbortSignal | undefined
}

/** Removes old records and record images, after it said what it would remove. */
export class RetentionService {
  readonly #parts: RetentionServiceOptions

  constructor(parts: RetentionServiceOptions) {
    this.#parts = parts
  }

  /** What would go now; nothing is removed. @throws RegistryError */
  async plan({ rules, recordImages, signal }: RetentionRequest): Promise<RetentionPlan> {
    const now = this.#parts.now()
    const records = removals(await this.#records(), rules, now).map(({ item, reason }) => ({
      record: item.record,
      reason,
    }))
    const images = recordImages ? await this.#goingImages(rules, now, signal) : []
    const taken = {
      records: records.slice(0, MAX_REMOVALS),
      recordImages: images.slice(0, MAX_REMOVALS - Math.min(records.length, MAX_REMOVALS)),
    }
    const names = [
      ...taken.records.map(({ record }) => record.id),
      ...taken.recordImages.map(({ image }) => `${image.reference} ${image.digest}`),
    ]
    const plan = digestOf(JSON.stringify([rules, recordImages, names.toSorted()]))
    return { plan, ...taken, more: records.length + images.length > names.length }
  }

  /**
   * Removes what a plan named. A record that an unfinished conversion needs stays, and so does what a registry does not
   * delete: the answer says so.
   * @throws PlanChanged when it would be something else by now; RegistryError
   */
  async run(
    request: RetentionRequest,
    plan: string,
  ): Promise<{ plan: RetentionPlan; outcome: Map<string, Removed> }> {
    const current = await this.plan(request)
    if (current.plan !== plan) {
      throw new PlanChanged('what would be removed has changed since that plan; look at a new one first')
    }
    const outcome = new Map<string, Removed>()
    for (const { record } of current.records) {
      const removed = await this.#parts.store.remove(record.id)
      const problem = removed === 'needed' ? 'a conversion that is not finished needs this record' : undefined
      outcome.set(record.id, { removed: removed !== 'needed', problem })
    }
    for (const { image } of current.recordImages) {
      outcome.set(image.reference, await this.#removeImage(image, request.signal))
    }
    return { plan: current, outcome }
  }

  async #removeImage(
    { reference, digest }: ListedRecordImage,
    signal: AbortSignal | undefined,
  ): Promise<Removed> {
    try {
      await this.#parts.repository(parseReference(reference)).deleteManifest(digest, { signal })
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string }
      signal?.throwIfAborted()
      if (typeof code !== 'string') throw error
      // Another tag of the same image came before it.
      if (code !== 'NOT_FOUND') return { removed: false, problem: message }
    }
    await this.#parts.store.forgetPublication(reference, digest)
    return { removed: true }
  }

  async #records() {
    const items: StoredRecord[] = []
    let after: string | undefined
    do {
      const page = await this.#parts.store.list({}, { after, limit: PAGE })
      items.push(...page.items)
      after = page.next
    } while (after !== undefined)
    return items.map((record) => ({
      record,
      image: record.image,
      workload: record.workload,
      createdAt: record.createdAt,
      isPublished: record.publications.length > 0,
    }))
  }

  /** Those of other tools stay, and those one of whose tags stays: deleting takes all tags of an image. */
  async #goingImages(rules: RetentionRules, now: number, signal: AbortSignal | undefined) {
    const all: ListedRecordImage[] = []
    let after: string | undefined
    do {
      const page = await this.#parts.publisher.images({ limit: PAGE, after, signal })
      all.push(...page.items)
      after = page.next
    } while (after !== undefined)
    const ours = all.filter(({ entryCount }) => entryCount !== undefined)
    const items = ours.map((image) => ({
      listed: image,
      image: image.image,
      workload: image.workload,
      createdAt: image.created === undefined ? undefined : Date.parse(image.created) || undefined,
      isPublished: false,
    }))
    const gone = removals(items, rules, now)
    const keyOf = (image: ListedRecordImage) => `${image.reference.replace(/:[^:/]*$/, '')}@${image.digest}`
    const going = new Set(gone.map(({ item }) => item.listed.reference))
    const kept = new Set(all.filter(({ reference }) => !going.has(reference)).map(keyOf))
    return gone
      .filter(({ item }) => !kept.has(keyOf(item.listed)))
      .map(({ item, reason }) => ({ image: item.listed, reason }))
  }
}
