import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { decodeContent } from '../bytes/content-encoding.ts'
import type { DiskRoom } from '../bytes/disk-room.ts'
import { allOrAbort } from '../concurrency/all-or-abort.ts'
import { evaluateRecord, retargetRecord } from '../conversion/evaluate.ts'
import { inspectImage } from '../conversion/inspect.ts'
import type { Profiled } from '../conversion/record/profiled-image.ts'
import { ImageInspection } from '../conversion/report.ts'
import { checkPlatforms } from '../conversion/source/check-platforms.ts'
import type { ImageServices } from '../conversion/source/list-layers.ts'
import type { RequestKeys } from '../jobs/queue/request-keys.ts'
import { isDigest } from '../oci/digest.ts'
import { diffRecords } from '../records/combine/diff.ts'
import { Merger } from '../records/combine/merge.ts'
import { provenanceOf } from '../records/combine/provenance-of.ts'
import { type FoundInImage, RecordEvaluation } from '../records/evaluation.ts'
import { PROFILERS } from '../records/formats/format-registry.ts'
import { readRecord } from '../records/formats/read.ts'
import { type WrittenFormat, writeRecord } from '../records/formats/write.ts'
import { RecordImageDocument, RecordImagePageDocument } from '../records/images/documents.ts'
import type { RecordPublisher } from '../records/images/publisher.ts'
import type { RecordLimits } from '../records/model.ts'
import type { RetentionService } from '../records/retention/service.ts'
import type { RecordStore } from '../records/store.ts'
import type { StoredRecord } from '../records/stored-record.ts'
import type {
  Analyses,
  AnalysisContext,
  DocumentBody,
  MergeOutcome,
  MergeRequest,
  PlatformProblem,
  PublishedRecord,
  PublishRequest,
  RepeatedOutcome,
  RetargetOutcome,
  RetargetRequest,
  RetentionOutcome,
  RetentionRequest,
  StoredOutcome,
  UploadOutcome,
  UploadRequest,
} from './analyses.ts'

export type LocalParts = {
  readonly images: ImageServices
  readonly records: RecordStore
  readonly publisher: RecordPublisher
  readonly housekeeper: RetentionService
  readonly requestKeys: RequestKeys
  readonly recordLimits: RecordLimits
  /** Is told of a defect that does not keep an act from its end. */
  readonly onDefect?: ((error: unknown, what: string) => void) | undefined
  /** Where records are kept; left out: elsewhere, where others see to it. */
  readonly room?: DiskRoom | undefined
}

/** Documents are handed on in pieces of this size. */
const PIECE_CHARACTERS = 64 * 1024
const NONE_FOUND =
  'the image has none of the recorded paths: it may be another image, or the paths of another root (root=)'
/** How long an upload waits for how much of it the profiled image has. */
const FIND_MS = 10_000
/** Images whose platforms are looked at side by side. */
const IMAGES_AT_ONCE = 8

/** The analyses in this very process. */
export class LocalAnalyses implements Analyses {
  readonly #parts: LocalParts

  constructor(parts: LocalParts) {
    this.#parts = parts
  }

  async upload(
    { idempotency, image, workload, labels, profilerVersion, ...request }: UploadRequest,
    { input, signal }: AnalysisContext & { readonly input: AsyncIterable<Uint8Array> },
  ): Promise<UploadOutcome | RepeatedOutcome> {
    const { records, requestKeys, recordLimits, room } = this.#parts
    await room?.check(recordLimits.maxBytes)
    const { format, workingDirectory, root, exclude, encoding } = request
    const hash = createHash('sha256').update(idempotency?.request ?? '')
    const bytes = hashed(input, hash)
    const read = await readRecord(encoding === undefined ? bytes : decodeContent(bytes, encoding), {
      ...recordLimits,
      format,
      workingDirectory,
      root,
      exclude,
    })
    if (idempotency !== undefined) {
      const begun = await requestKeys.begin(idempotency.key, hash.digest('hex'))
      if (begun.is !== 'new') return { kind: 'repeated', begun }
    }
    const profiler = request.profiler ?? PROFILERS[read.format]
    const terms = { image, workload, labels: labels ?? {}, profiler, profilerVersion }
    let stored: Omit<StoredOutcome, 'kind'>
    try {
      stored = await records.add({ ...read, ...terms })
    } catch (error) {
      // The same request may be sent again with its key.
      if (idempotency !== undefined) await requestKeys.forget(idempotency.key).catch(() => undefined)
      throw error
    }
    // What is said of the profile is said of the one that came, also where its record was there.
    const { format: found, skipped, notes } = read
    stored = { ...stored, record: { ...stored.record, format: found, skipped, notes } }
    if (image === undefined) return { kind: 'stored', ...stored }
    const inImage = await this.#findInImage({ entries: read.entries, image }, signal)
    return { kind: 'stored', ...stored, inImage }
  }

  /** The record is stored: whatever is wrong with the image is told, and no more. */
  async #findInImage(
    record: Profiled & { readonly image: string },
    signal: AbortSignal,
  ): Promise<FoundInImage> {
    if (isDigest(record.image))
      return { unknown: 'the image is named by its digest alone, without a registry' }
    const late = AbortSignal.timeout(FIND_MS)
    try {
      const request = { image: record.image, interpreters: false }
      const { image, images } = await evaluateRecord(
        record,
        request,
        this.#parts.images,
        AbortSignal.any([signal, late]),
      )
      const platforms = images.map(({ platform, record: { paths, placed } }) => ({
        platform,
        paths,
        found: placed,
      }))
      const hasNone = platforms.every(({ found }) => found === 0)
      return { image, platforms, ...(hasNone && { warning: NONE_FOUND }) }
    } catch (error) {
      if (late.aborted) {
        return { unknown: `reading the image takes more than ${FIND_MS / 1000} s; ask for an evaluation` }
      }
      const { code, message } = error as { code?: unknown; message: string }
      if (typeof code === 'string') return { unknown: `${code}: ${message}` }
      this.#parts.onDefect?.(error, 'an image was not looked at')
      return { unknown: 'something went wrong here; the log of the broker says what' }
    }
  }

  async content({
    record,
    format,
  }: {
    readonly record: string
    readonly format: WrittenFormat
  }): Promise<DocumentBody | undefined> {
    const entries = await this.#parts.records.content(record)
    if (!entries) return undefined
    return bodyOf(writeRecord(entries, format))
  }

  async merge({ records: ids, strategy, threshold, ...terms }: MergeRequest): Promise<MergeOutcome> {
    const { records } = this.#parts
    const merger = new Merger()
    const sources: StoredRecord[] = []
    // One after the other: only what is merged is held in memory.
    for (const [position, id] of ids.entries()) {
      const found = await records.read(id)
      if (!found) return { kind: 'missing', position }
      merger.add(found.entries)
      sources.push(found.record)
    }
    const entries = merger.merged({ strategy, threshold })
    if (entries.length === 0) return { kind: 'nothing-in-common' }
    const stored = await records.add({
      entries,
      format: 'stargz-record',
      image: terms.image ?? shared(sources, 'image'),
      workload: terms.workload ?? shared(sources, 'workload'),
      labels: terms.labels ?? {},
      provenance: {
        kind: 'merge',
        strategy,
        ...(threshold !== undefined && { threshold }),
        ...provenanceOf(sources),
      },
    })
    return { kind: 'stored', ...stored }
  }

  async diff({ a, b, limit }: { readonly a: string; readonly b: string; readonly limit: number }) {
    const inA = await this.#parts.records.content(a)
    if (!inA) return { missing: a }
    const inB = await this.#parts.records.content(b)
    if (!inB) return { missing: b }
    return jsonBody(diffRecords(inA, inB, limit))
  }

  async evaluate(
    { record, ...request }: Parameters<Analyses['evaluate']>[0],
    { signal }: AnalysisContext,
  ): Promise<DocumentBody | undefined> {
    const found = await this.#parts.records.read(record)
    if (!found) return undefined
    const profiled = { entries: found.entries, image: found.record.image }
    const evaluation = await evaluateRecord(profiled, request, this.#parts.images, signal)
    return jsonBody(RecordEvaluation.parse(evaluation))
  }

  async retarget(
    { record: id, target, platform, workload, labels }: RetargetRequest,
    { signal }: AnalysisContext,
  ): Promise<RetargetOutcome> {
    const { records, images } = this.#parts
    const found = await records.read(id)
    if (!found) return { kind: 'missing' }
    const profiled = { entries: found.entries, image: found.record.image }
    const applied = await retargetRecord(profiled, { image: target, platform }, images, signal)
    const { use } = applied
    const lost = use.notFoundCount + use.hiddenCount
    const stored = await records.add({
      entries: applied.entries,
      format: 'stargz-record',
      image: applied.image,
      workload: workload ?? found.record.workload,
      labels: labels ?? {},
      provenance: { kind: 'retarget', ...provenanceOf([found.record]), target: applied.image, lost },
    })
    return { kind: 'stored', ...stored, platform: applied.platform, lost, use }
  }

  publish(
    { record, reference, attachTo, overwrite }: PublishRequest,
    { signal }: AnalysisContext,
  ): Promise<PublishedRecord> {
    return this.#parts.publisher.publish(record, {
      ...(reference !== undefined && { reference }),
      ...(attachTo !== undefined && { attachTo }),
      ...(overwrite !== undefined && { overwrite }),
      signal,
    })
  }

  async recordImages(
    request: Parameters<Analyses['recordImages']>[0],
    { signal }: AnalysisContext,
  ): Promise<DocumentBody> {
    const page = await this.#parts.publisher.images({ ...request, signal })
    return jsonBody(RecordImagePageDocument.parse(page))
  }

  async recordImage(
    { reference }: { readonly reference: string },
    { signal }: AnalysisContext,
  ): Promise<DocumentBody> {
    return jsonBody(RecordImageDocument.parse(await this.#parts.publisher.show(reference, signal)))
  }

  async retention(
    { rules, recordImages, plan }: RetentionRequest,
    { signal }: AnalysisContext,
  ): Promise<RetentionOutcome> {
    const { housekeeper } = this.#parts
    const asked = { rules, recordImages, signal }
    if (plan === undefined) return { plan: await housekeeper.plan(asked) }
    const done = await housekeeper.run(asked, plan)
    return { plan: done.plan, removed: done.outcome }
  }

  async inspect(
    { reference }: { readonly reference: string },
    { signal }: AnalysisContext,
  ): Promise<DocumentBody> {
    return jsonBody(ImageInspection.parse(await inspectImage(reference, this.#parts.images, signal)))
  }

  async checkPlatforms(
    { images }: Parameters<Analyses['checkPlatforms']>[0],
    { signal }: AnalysisContext,
  ): Promise<PlatformProblem[]> {
    const { registries, bounds } = this.#parts.images
    const checked = await allOrAbort(
      images,
      signal,
      async ({ source, platforms }, position, either): Promise<PlatformProblem | undefined> => {
        try {
          await checkPlatforms(registries, source, platforms, bounds, either)
          return undefined
        } catch (error) {
          either.throwIfAborted()
          const { code, message } = error as { code?: unknown; message: string }
          if (typeof code !== 'string') throw error
          return { position, code, message }
        }
      },
      IMAGES_AT_ONCE,
    )
    return checked.filter((one) => one !== undefined)
  }
}

/** What all records say, when they say the same. */
function shared(sources: readonly StoredRecord[], what: 'image' | 'workload'): string | undefined {
  const [only, ...others] = new Set(sources.map((record) => record[what]))
  return others.length === 0 ? only : undefined
}

function jsonBody(value: unknown): DocumentBody {
  return bodyOf(JSON.stringify(value))
}

/** A text in pieces, and a turn of the event loop for others between two of them. */
async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + PIECE_CHARACTERS)
    // A pair of surrogates is one character.
    if (end < text.length && text.charCodeAt(end - 1) >> 10 === 0x36) end += 1
    yield Buffer.from(text.slice(at, end))
    at = end
    await turn()
  }
}

async function* hashed(
  input: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of input) {
    hash.update(piece)
    yield piece
  }
}
