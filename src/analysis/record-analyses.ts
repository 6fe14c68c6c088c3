import { createHash, type Hash } from 'node:crypto'
import { decodeContent } from '../bytes/content-encoding.ts'
import type { DiskSpace } from '../bytes/disk-space.ts'
import type { ProjectKeys } from '../jobs/queue/idempotency-keys.ts'
import { diffRecords } from '../records/combine/diff-records.ts'
import { provenanceOf } from '../records/combine/provenance-of.ts'
import { RecordMerger } from '../records/combine/record-merger.ts'
import { PROFILERS } from '../records/formats/format-registry.ts'
import { readRecord } from '../records/formats/read-record.ts'
import { writeRecord } from '../records/formats/write-record.ts'
import type { RecordLimits } from '../records/model.ts'
import type { ProjectRecords } from '../records/project-records.ts'
import type { StoredRecord } from '../records/stored-record.ts'
import type {
  Analyses,
  AnalysisContext,
  DocumentBody,
  MergeRequest,
  MergeResult,
  RepeatedUpload,
  StoredResult,
  UploadRequest,
  UploadResult,
} from './analyses.ts'
import { toDocumentBody, toJsonBody } from './document-body.ts'
import type { ProfiledImageCheck } from './profiled-image-check.ts'

export type RecordAnalysesOptions = {
  readonly records: ProjectRecords
  readonly idempotencyKeys: ProjectKeys
  readonly recordLimits: RecordLimits
  readonly imageCheck: ProfiledImageCheck
  /**
   * The disk with the database. Undefined if the database is on another machine, which then monitors its own
   * disk.
   */
  readonly diskSpace: DiskSpace | undefined
}

/** The analyses of uploaded records. */
export class RecordAnalyses implements Pick<Analyses, 'upload' | 'readContent' | 'merge' | 'diff'> {
  readonly #options: RecordAnalysesOptions

  constructor(options: RecordAnalysesOptions) {
    this.#options = options
  }

  async upload(
    { idempotency, image, workload, labels, profilerVersion, ...request }: UploadRequest,
    { input, signal }: AnalysisContext & { readonly input: AsyncIterable<Uint8Array> },
  ): Promise<UploadResult | RepeatedUpload> {
    const { idempotencyKeys, recordLimits, imageCheck, diskSpace } = this.#options
    await diskSpace?.assertAvailable(recordLimits.maxBytes)
    const { format, workingDirectory, root, exclude, encoding } = request
    const hash = createHash('sha256').update(idempotency?.request ?? '')
    const bytes = updateHash(input, hash)
    const profile = await readRecord(encoding === undefined ? bytes : decodeContent(bytes, encoding), {
      ...recordLimits,
      format,
      workingDirectory,
      root,
      exclude,
    })
    if (idempotency !== undefined) {
      const claim = await idempotencyKeys.claim(idempotency.key, hash.digest('hex'))
      if (claim.kind !== 'new') return { kind: 'repeated', claim }
    }
    const profiler = request.profiler ?? PROFILERS[profile.format]
    const metadata = { image, workload, labels: labels ?? {}, profiler, profilerVersion }
    const stored = await this.#store({ ...profile, ...metadata }, idempotency?.key)
    // An identical record may be stored already. The result describes the uploaded profile in any case.
    const { entries, format: detectedFormat, skipped, notes } = profile
    const record = { ...stored.record, format: detectedFormat, skipped, notes }
    const result = { kind: 'stored' as const, ...stored, record }
    if (image === undefined) return result
    return { ...result, inImage: await imageCheck.check({ entries, image }, signal) }
  }

  async #store(
    record: Parameters<ProjectRecords['add']>[0],
    idempotencyKey: string | undefined,
  ): Promise<Omit<StoredResult, 'kind'>> {
    const { records, idempotencyKeys } = this.#options
    try {
      return await records.add(record)
    } catch (error) {
      // The client may retry the request with the same key.
      if (idempotencyKey !== undefined) await idempotencyKeys.release(idempotencyKey).catch(() => undefined)
      throw error
    }
  }

  async readContent({
    record,
    format,
  }: Parameters<Analyses['readContent']>[0]): Promise<DocumentBody | undefined> {
    const entries = await this.#options.records.readEntries(record)
    return entries && toDocumentBody(writeRecord(entries, format))
  }

  async merge({ records: ids, strategy, threshold, ...metadata }: MergeRequest): Promise<MergeResult> {
    const { records } = this.#options
    const merger = new RecordMerger()
    const sources: StoredRecord[] = []
    // Records are read one by one, so that only their union is in memory.
    for (const [position, id] of ids.entries()) {
      const source = await records.read(id)
      if (!source) return { kind: 'missing', position }
      merger.add(source.entries)
      sources.push(source.record)
    }
    const entries = merger.finish({ strategy, threshold })
    if (entries.length === 0) return { kind: 'nothing-in-common' }
    const stored = await records.add({
      entries,
      format: 'stargz-record',
      image: metadata.image ?? commonValue(sources, 'image'),
      workload: metadata.workload ?? commonValue(sources, 'workload'),
      labels: metadata.labels ?? {},
      provenance: {
        kind: 'merge',
        strategy,
        ...(threshold !== undefined && { threshold }),
        ...provenanceOf(sources),
      },
    })
    return { kind: 'stored', ...stored }
  }

  async diff({
    a,
    b,
    limit,
  }: Parameters<Analyses['diff']>[0]): Promise<DocumentBody | { readonly missing: string }> {
    const { records } = this.#options
    const entriesOfA = await records.readEntries(a)
    if (!entriesOfA) return { missing: a }
    const entriesOfB = await records.readEntries(b)
    if (!entriesOfB) return { missing: b }
    return toJsonBody(diffRecords(entriesOfA, entriesOfB, limit))
  }
}

/** Returns the value of a field if it is the same in all records. */
function commonValue(records: readonly StoredRecord[], field: 'image' | 'workload'): string | undefined {
  const [value, ...others] = new Set(records.map((record) => record[field]))
  return others.length === 0 ? value : undefined
}

/** Yields the input, and updates a hash with it. */
async function* updateHash(input: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of input) {
    hash.update(piece)
    yield piece
  }
}
