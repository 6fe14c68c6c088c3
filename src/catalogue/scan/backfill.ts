import type { Database } from '../../db/database.ts'
import { readScanState, writeScanState } from '../../db/scan-progress.ts'
import type { Digest } from '../../oci/digest.ts'
import { parseReference } from '../../oci/reference.ts'
import type { CheckQueue } from '../check-queue.ts'
import type { ConversionIndex } from '../conversions/conversion-index.ts'
import type { ImageWriter, SeenImage } from '../image-writer.ts'

const PUBLICATIONS_PER_BATCH = 200
/** Few, as reports can be long. */
const JOBS_PER_BATCH = 20

type Position = { readonly after: string }

export type BackfillServices = {
  readonly database: Database
  readonly writer: ImageWriter
  readonly conversions: ConversionIndex
  readonly checks: CheckQueue
}

/**
 * Indexes publications and conversions that earlier releases stored, or that their own process could not index.
 * Each call indexes a batch and moves the position; repeating a batch does no harm.
 */
export class Backfill {
  readonly #services: BackfillServices

  constructor(services: BackfillServices) {
    this.#services = services
  }

  /** Returns whether there may be more. */
  async indexPublications(): Promise<boolean> {
    const { database, writer, checks } = this.#services
    const position = await this.#position('publications')
    const rows = await database.query
      .selectFrom('publications')
      .innerJoin('records', 'records.id', 'publications.record_id')
      .select([
        'publications.id',
        'publications.reference',
        'publications.digest',
        'records.image',
        'records.workload',
        'records.entries',
        'records.profiler',
        'records.profiler_version',
        'records.created_at',
      ])
      .where('publications.id', '>', position)
      .orderBy('publications.id')
      .limit(PUBLICATIONS_PER_BATCH)
      .execute()
    const images = rows.map((row): SeenImage => {
      const digest = row.digest as Digest
      return {
        reference: parseReference(row.reference),
        digest,
        content: {
          kind: 'record',
          digest,
          createdAt: new Date(row.created_at).toISOString(),
          ...(row.image !== '' && { image: row.image }),
          ...(row.workload !== '' && { workload: row.workload }),
          ...(row.profiler !== '' && { profiler: row.profiler }),
          ...(row.profiler_version !== '' && { profilerVersion: row.profiler_version }),
          annotations: {},
          entryCount: row.entries,
        },
        isRead: false,
        isCompared: false,
      }
    })
    const unknown = await writer.putUnknown(images)
    // The manifests are read soon: they say what the record images belong to.
    await checks.add(unknown)
    return this.#advance('publications', rows, PUBLICATIONS_PER_BATCH)
  }

  /** Returns whether there may be more. */
  async indexConversions(): Promise<boolean> {
    const { database, conversions, writer, checks } = this.#services
    const position = await this.#position('conversions')
    const rows = await database.query
      .selectFrom('jobs')
      .select(['id', 'project', 'state', 'request', 'report', 'finished_at'])
      .where('kind', '=', 'conversion')
      .where('id', '>', position)
      .orderBy('id')
      .limit(JOBS_PER_BATCH)
      .execute()
    // An unfinished conversion is indexed when it succeeds; its worker may be of an earlier release.
    const end = rows.findIndex(({ state }) => state === 'queued' || state === 'running')
    const finished = end < 0 ? rows : rows.slice(0, end)
    for (const { id, project, state, request, report, finished_at } of finished) {
      if (state !== 'succeeded' || report === null) continue
      const indexed = await conversions.put(
        {
          jobId: id,
          project,
          request: JSON.parse(request),
          report: JSON.parse(report),
          finishedAt: finished_at ?? 0,
        },
        { isJustFinished: false },
      )
      if (!indexed) continue
      await writer.putUnknown(indexed.images)
      await checks.add(indexed.attached.map(parseReference))
    }
    return this.#advance('conversions', finished, JOBS_PER_BATCH)
  }

  async #position(scan: string): Promise<string> {
    return (await readScanState<Position>(this.#services.database, scan))?.after ?? ''
  }

  async #advance(scan: string, rows: readonly { readonly id: string }[], batch: number): Promise<boolean> {
    const last = rows.at(-1)
    if (!last) return false
    const { database } = this.#services
    const position: Position = { after: last.id }
    await database.write((query) => writeScanState(query, scan, position))
    return rows.length === batch
  }
}
