import { z } from 'zod'
import type { Database } from '../db/database.ts'
import { isUniqueViolation } from '../db/errors.ts'
import { itemId } from '../db/terms/item-id.ts'
import { TermIndex } from '../db/terms/term-index.ts'
import type { ItemCount } from '../db/terms/term-query.ts'
import { digestOf } from '../oci/digest.ts'
import { Digest } from '../oci/digest-schema.ts'
import type { HostNames } from '../oci/host-names.ts'
import { isIndexType } from '../oci/media-types.ts'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import { tryParseReference } from '../records/profiled-digest.ts'
import { MAX_CHILDREN } from './content.ts'
import type { SeenImage } from './image-writer.ts'
import { canonical, locationName } from './location.ts'

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
  readonly request: unknown
  readonly report: unknown
  /** In milliseconds since 1970. */
  readonly finishedAt: number
}

/** A conversion, as the relations of its images show it. */
export type ConversionRelation = {
  readonly conversionId: string
  readonly source: string
  readonly sourceDigest: string
  readonly target: string
  readonly digest: string
  /** The record images that were used. */
  readonly recordImages: readonly string[]
  /** The stored record that was used. */
  readonly recordId?: string
  readonly images: readonly { readonly platform: string; readonly source: string; readonly digest: string }[]
  readonly finishedAt: number
}

/** How an image takes part in a conversion. */
export type ConversionRole = 'source' | 'result' | 'record'

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
   * @returns the images that the conversion proves to exist, and the references that it made besides;
   * undefined for a report that is not understood
   */
  async put(
    conversion: FinishedConversion,
    { isJustFinished }: { readonly isJustFinished: boolean },
  ): Promise<{ images: SeenImage[]; attached: string[] } | undefined> {
    const report = Report.safeParse(conversion.report)
    if (!report.success) return undefined
    const relation = this.#relationOf(conversion, report.data)
    if (!relation) return undefined
    const { conversionId: jobId, finishedAt, ...document } = relation
    const identity = digestOf(JSON.stringify(document))
    const id = itemId(finishedAt, identity)
    const row = { identity, job_id: jobId, document: JSON.stringify(document), finished_at: finishedAt }
    const write = () =>
      this.#db.transaction(async (transaction) => {
        const existing = await transaction
          .selectFrom('catalogue_conversions')
          .select(['id', 'job_id', 'finished_at'])
          .where('identity', '=', identity)
          .executeTakeFirst()
        // The worker has stored it before the end of the job, by its own clock.
        if (existing && (existing.job_id === jobId || existing.finished_at >= finishedAt)) return
        if (existing) {
          await transaction.deleteFrom('catalogue_conversions').where('id', '=', existing.id).execute()
        }
        await transaction
          .insertInto('catalogue_conversions')
          .values({ id, ...row })
          .execute()
        await this.#terms.put(transaction, id, this.#termsOf(relation))
      })
    // Two workers may store the same conversion at the same time.
    await write().catch((error: unknown) => {
      if (!isUniqueViolation(error)) throw error
      return write()
    })
    const attached = report.data.attached?.map(({ reference }) => reference) ?? []
    return { images: imagesOf(report.data, isJustFinished), attached }
  }

  /**
   * Returns the newest conversions in which an image has a role.
   * @param names digests, and references with a tag
   */
  async find(
    role: ConversionRole,
    names: readonly string[],
    limit: number,
  ): Promise<{ items: ConversionRelation[]; total: ItemCount }> {
    const anyOf = names.map((name) => conversionTerm(role, name))
    const query = { all: '', filters: [{ anyOf }] }
    const { ids, total } = await this.#terms.find(query, { limit })
    const byId = await this.#read(ids)
    return { items: ids.flatMap((id) => byId.get(id) ?? []), total }
  }

  /** Returns the newest conversion in which each of the digests has a role. */
  async latest(role: ConversionRole, digests: readonly string[]): Promise<Map<string, ConversionRelation>> {
    const newest = await this.#terms.newestOf(digests.map((digest) => conversionTerm(role, digest)))
    const byId = await this.#read([...newest.values()])
    return new Map(
      digests.flatMap((digest) => {
        const relation = byId.get(newest.get(conversionTerm(role, digest)) ?? '')
        return relation ? [[digest, relation] as const] : []
      }),
    )
  }

  async #read(ids: readonly string[]): Promise<Map<string, ConversionRelation>> {
    if (ids.length === 0) return new Map()
    const rows = await this.#db.query
      .selectFrom('catalogue_conversions')
      .select(['id', 'job_id', 'document', 'finished_at'])
      .where('id', 'in', ids)
      .execute()
    return new Map(
      rows.map(({ id, job_id, document, finished_at }) => [
        id,
        { conversionId: job_id, ...JSON.parse(document), finishedAt: finished_at } as ConversionRelation,
      ]),
    )
  }

  #relationOf(
    { jobId, request, finishedAt }: FinishedConversion,
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
      conversionId: jobId,
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

  #termsOf(relation: ConversionRelation): string[] {
    const { source, sourceDigest, target, digest, images, recordImages, recordId } = relation
    const records = recordImages.flatMap((name) => {
      const named = tryParseReference(name)
      if (!named) return []
      const reference = canonical(this.#names, named)
      const { tag } = reference
      return [
        ...(reference.digest === undefined ? [] : [reference.digest]),
        ...(tag === undefined ? [] : [`${locationName(reference)}:${tag}`]),
      ]
    })
    return [
      ...[source, sourceDigest, ...images.map((image) => image.source)].map((one) =>
        conversionTerm('source', one),
      ),
      ...[target, digest, ...images.map((image) => image.digest)].map((one) => conversionTerm('result', one)),
      ...[...records, ...(recordId === undefined ? [] : [recordId])].map((one) =>
        conversionTerm('record', one),
      ),
    ]
  }
}

function conversionTerm(role: ConversionRole, name: string): string {
  return `${role} ${name}`
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
