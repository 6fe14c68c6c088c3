import { z } from 'zod'
import type { Database } from '../../db/database.ts'
import { isUniqueViolation } from '../../db/errors.ts'
import { itemId } from '../../db/terms/item-id.ts'
import { TermIndex } from '../../db/terms/term-index.ts'
import { digestOf } from '../../oci/digest.ts'
import { Digest } from '../../oci/digest-schema.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { isIndexType } from '../../oci/media-types.ts'
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts'
import { tryParseReference } from '../../records/profiled-digest.ts'
import { MAX_CHILDREN } from '../content.ts'
import type { SeenImage } from '../image-writer.ts'
import { canonical } from '../location.ts'
import { formatJobs, parseJobs, withJob } from './conversion-jobs.ts'
import type { ConversionRelation } from './conversion-relation.ts'
import { termsOfConversion } from './conversion-terms.ts'

/** The images of one platform of a conversion. */
const ConvertedPlatform = z.object({
  platform: z.string(),
  source: Digest,
  digest: Digest,
  record: z.object({ from: z.object({ reference: z.string() }).optional() }).optional(),
})

/** The part of a conversion's report that the catalogue uses; reports of earlier releases have it, too. */
const Report = z.object({
  source: z.string(),
  target: z.string(),
  digest: Digest,
  mediaType: z.string(),
  size: z.number(),
  sourceSize: z.number().optional(),
  images: z.array(ConvertedPlatform),
  attached: z.array(z.object({ reference: z.string() })).optional(),
})

/** The record of a conversion's request, as far as it names one. */
const RecordOfRequest = z.object({ id: z.string().optional(), image: z.string().optional() })

/** A conversion that has succeeded. */
export type FinishedConversion = {
  readonly jobId: string
  /** The project of the job. */
  readonly project: string
  readonly request: unknown
  readonly report: unknown
  /** In milliseconds since 1970. */
  readonly finishedAt: number
}

/** A conversion that was stored: the images that it proves to exist, and the references that it made besides. */
export type IndexedConversion = {
  readonly source: Reference
  readonly target: Reference
  readonly images: readonly SeenImage[]
  readonly attached: readonly string[]
}

/** Results of conversions: which image was made of which, and with which record. */
export class ConversionIndex {
  readonly #db: Database
  readonly #names: HostNames
  readonly #terms: TermIndex

  constructor(database: Database, names: HostNames) {
    this.#db = database
    this.#names = names
    this.#terms = new TermIndex(database, 'catalogue_conversion_terms')
  }

  /**
   * Stores a conversion. An earlier one with the same images and record is replaced.
   * @param options.isJustFinished whether the registry has the images now
   * @returns undefined for a report that is not understood
   */
  async put(
    conversion: FinishedConversion,
    { isJustFinished }: { readonly isJustFinished: boolean },
  ): Promise<IndexedConversion | undefined> {
    const report = Report.safeParse(conversion.report)
    if (!report.success) return undefined
    const relation = this.#relationOf(conversion, report.data)
    if (!relation) return undefined
    const { jobId, project, finishedAt } = conversion
    const { finishedAt: _, ...document } = relation
    const identity = digestOf(JSON.stringify(document))
    const id = itemId(finishedAt, identity)
    const row = { identity, job_id: jobId, document: JSON.stringify(document), finished_at: finishedAt }
    const write = () =>
      this.#db.transaction(async (transaction) => {
        const existing = await transaction
          .selectFrom('catalogue_conversions')
          .select(['id', 'job_id', 'jobs', 'finished_at'])
          .where('identity', '=', identity)
          .executeTakeFirst()
        const known = existing ? parseJobs(existing) : new Map<string, string>()
        const jobs = formatJobs(withJob(known, project, jobId))
        // The worker has stored it before the end of the job, by its own clock.
        if (existing && (known.get(project) === jobId || existing.finished_at >= finishedAt)) {
          if (known.has(project)) return
          await transaction
            .updateTable('catalogue_conversions')
            .set({ jobs })
            .where('id', '=', existing.id)
            .execute()
          return
        }
        if (existing) {
          await transaction.deleteFrom('catalogue_conversions').where('id', '=', existing.id).execute()
        }
        await transaction
          .insertInto('catalogue_conversions')
          .values({ id, jobs, ...row })
          .execute()
        await this.#terms.put(transaction, id, termsOfConversion(relation, this.#names))
      })
    // Two workers may store the same conversion at the same time.
    await write().catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error
      return write()
    })
    const attached = report.data.attached?.map(({ reference }) => reference) ?? []
    return {
      source: parseReference(relation.source),
      target: parseReference(relation.target),
      images: imagesOf(report.data, isJustFinished),
      attached,
    }
  }

  /**
   * Replaces the terms of the conversions behind an id, in the order of their ids, with those of this release.
   * @returns the last of their ids; undefined if there are none
   */
  async indexTerms(after: string, limit: number): Promise<string | undefined> {
    return this.#db.transaction(async (transaction) => {
      const rows = await transaction
        .selectFrom('catalogue_conversions')
        .select(['id', 'document'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      for (const { id, document } of rows) {
        await this.#terms.put(transaction, id, termsOfConversion(JSON.parse(document), this.#names))
      }
      return rows.at(-1)?.id
    })
  }

  #relationOf(
    { request, finishedAt }: FinishedConversion,
    report: z.infer<typeof Report>,
  ): ConversionRelation | undefined {
    const parsed = tryParseReference(report.source)
    if (!parsed || !tryParseReference(report.target)) return undefined
    const source = canonical(this.#names, parsed)
    const { host, repository, tag, digest } = source
    const named = RecordOfRequest.safeParse((request as { record?: unknown } | undefined)?.record ?? {})
    const matched = report.images.flatMap(({ record }) => record?.from?.reference ?? [])
    const recordImages = [...new Set([...(named.data?.image ? [named.data.image] : []), ...matched])]
    return {
      source: formatReference({ host, repository, ...(tag !== undefined && { tag }) }),
      sourceDigest: digest ?? '',
      target: formatReference(canonical(this.#names, parseTarget(report.target))),
      digest: report.digest,
      recordImages: recordImages.slice(0, MAX_CHILDREN),
      ...(named.data?.id !== undefined && { recordId: named.data.id }),
      images: report.images
        .slice(0, MAX_CHILDREN)
        .map(({ platform, source: from, digest: to }) => ({ platform, source: from, digest: to })),
      finishedAt,
    }
  }
}

/** The images of a conversion. Their manifests were not read, and the scan replaces what is known of them. */
function imagesOf(
  { source, target, images, ...report }: z.infer<typeof Report>,
  isCompared: boolean,
): SeenImage[] {
  const from = parseReference(source)
  const seen: SeenImage[] = [
    {
      reference: parseTarget(target),
      digest: report.digest,
      content: {
        kind: isIndexType(report.mediaType) ? 'index' : 'image',
        mediaType: report.mediaType,
        size: report.size,
        estargz: true,
        ...(isIndexType(report.mediaType) && { children: childrenOf(images, 'digest') }),
      },
      isRead: false,
      isCompared,
    },
  ]
  if (from.digest === undefined) return seen
  // The manifest of an image is its own source; an index has other digests.
  const isIndex = images.every((image) => image.source !== from.digest)
  seen.push({
    reference:
      from.tag === undefined ? from : { host: from.host, repository: from.repository, tag: from.tag },
    digest: from.digest,
    content: {
      kind: isIndex ? 'index' : 'image',
      ...(!isIndex && report.sourceSize !== undefined && { size: report.sourceSize }),
      ...(isIndex && { children: childrenOf(images, 'source') }),
    },
    isRead: false,
    isCompared,
  })
  return seen
}

function childrenOf(images: z.infer<typeof Report>['images'], side: 'source' | 'digest') {
  return images.slice(0, MAX_CHILDREN).map((image) => ({ digest: image[side], platform: image.platform }))
}

function parseTarget(text: string): Reference {
  return { tag: 'latest', ...parseReference(text) }
}
