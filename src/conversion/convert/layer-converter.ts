import { release } from '../../bytes/release.ts'
import type { Scratch, ScratchFile } from '../../bytes/scratch.ts'
import { asBuffer } from '../../compression/byte-source.ts'
import type { CompressionChoice } from '../../compression/deflate/tuner.ts'
import { unlessAborted } from '../../concurrency/abort.ts'
import { Memo } from '../../concurrency/memo.ts'
import { excusedWait } from '../../concurrency/stall-watch.ts'
import { type AddedDirectory, summaryOf } from '../../estargz/index/added-directories.ts'
import { LayerIndex } from '../../estargz/index/layer-index.ts'
import type { Digest } from '../../oci/digest.ts'
import type { Repository } from '../../registry/repository.ts'
import { withSide } from '../errors.ts'
import type { LayerResults, ScannedLayer } from '../layers/layer-task.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConvertedLayer, LayerAction, LayerOutcome } from '../reuse/converted-layer.ts'
import type { CachedLayer } from '../reuse/layer-cache.ts'
import type { LayerKey } from '../reuse/layer-key.ts'
import { LayerReuse, type LayerSettings, type Source } from '../reuse/layer-reuse.ts'
import type { ConversionServices } from '../services.ts'
import { findDirectories } from './find-directories.ts'
import type { KnownDirectories, LayerPosition } from './layer-position.ts'
import { BlobStreamer, type UploadedBlob } from './upload-blob.ts'

/** A layer whose entries are known, and where its members are to be had. */
export type KnownLayer = {
  readonly index: LayerIndex
  readonly members:
    | { readonly kind: 'split'; readonly file: ScratchFile; readonly compression: CompressionChoice }
    | { readonly kind: 'converted'; readonly cached: CachedLayer }
}

/** One whose place in an image is known. */
type PlacedSource = Source & { readonly place: LayerPosition }

/** What the index of a layer says of its directories. */
export function directoriesIn(index: LayerIndex): KnownDirectories {
  return { ...summaryOf(index), columns: async () => index.columns }
}

/** Makes the converted layers of one conversion: anew, out of what was converted before, or not at all. */
export class LayerConverter {
  readonly #services: ConversionServices
  readonly #source: Repository
  readonly #target: Repository
  readonly #scratch: Scratch
  readonly #tally: RequestTally
  readonly #settings: LayerSettings
  readonly #streamer: BlobStreamer
  readonly #memory: LayerReuse
  /** Images of an index may share layers, and one image may have a layer twice. */
  readonly #made = new Memo<LayerOutcome>()
  readonly #known = new Memo<KnownLayer>()
  readonly #files: ScratchFile[] = []

  constructor(o: {
    readonly services: ConversionServices
    readonly source: Repository
    readonly target: Repository
    readonly scratch: Scratch
    readonly tally: RequestTally
    readonly settings: LayerSettings
  }) {
    this.#services = o.services
    this.#source = o.source
    this.#target = o.target
    this.#scratch = o.scratch
    this.#tally = o.tally
    this.#settings = o.settings
    this.#streamer = new BlobStreamer(o.scratch)
    this.#memory = new LayerReuse(o)
  }

  /** Converts a layer with no prioritized files, while it is downloaded and uploaded. */
  async stream(source: PlacedSource): Promise<LayerOutcome> {
    const { place, signal } = source
    const key = `${this.#memory.keyOf(source).base} ${place.key}`
    const made = await this.#made.get(key, () =>
      this.#together(key, signal, async () => {
        const known = await this.#memory.remembered(source)
        if (known) {
          place.tell(known)
          const added = await this.#added(known, source)
          const reused = await this.#memory.reuse(this.#memory.keyOf(source, [], added), signal)
          if (reused) return { layer: reused, action: 'reused' }
        }
        return this.#stream(source)
      }),
    )
    place.tell(this.#memory.directoriesOf(source, made.layer))
    return made
  }

  async #stream(source: PlacedSource): Promise<LayerOutcome> {
    const { place, signal } = source
    let added: readonly AddedDirectory[] = []
    // A registry may close an upload that waits for long: the next one begins when there is nothing to wait for.
    const beforeAgain = () => excusedWait(() => unlessAborted(place.whenLowerKnown(), signal))
    const make: MakeBlob<LayerResults['stream']> = async (write, either) => {
      const input = () => this.#download(source, either)
      const task = { kind: 'stream' as const, keepIndex: this.#keepsIndex, ...this.#settings }
      const of = ({ columns, ...summary }: ScannedLayer) => {
        const known = { ...summary, columns: async () => columns }
        if (!place.isTop) {
          this.#memory.saw(source, columns)
          place.tell(known)
        }
        const found = findDirectories(known, place, this.#services.threads, either)
        const keep = (directories: readonly AddedDirectory[]) => {
          added = directories
          return directories
        }
        return found instanceof Promise ? found.then(keep) : keep(found)
      }
      const ready = () => place.whenLowerKnown()
      return this.#services.threads.run(task, { input, write, added: { ready, of }, signal: either })
    }
    const result = await this.#upload(source, make, beforeAgain)
    this.#tally.layer(result.entries, result.uncompressedSize)
    return this.#finish(this.#memory.keyOf(source, [], added), result, result.compression, 'streamed', signal)
  }

  /** Finds out what is in a layer, so that paths can be resolved: from the cache, or by cutting it into members. */
  know(source: Source): Promise<KnownLayer> {
    return this.#known.get(this.#memory.keyOf(source).base, async () => {
      const converted = await this.#memory.converted(source)
      if (!converted) return this.#split(source)
      const { index, cached } = converted
      this.#tally.layer(index.length, index.data.sourcePlainSize)
      return { index, members: { kind: 'converted', cached } }
    })
  }

  /** Writes a known layer with prioritized entries first; the layers below have to be known, too. */
  async arrange(
    known: KnownLayer,
    prioritized: readonly string[],
    source: PlacedSource,
  ): Promise<LayerOutcome> {
    const { steps, signal } = source
    const added = await this.#added(directoriesIn(known.index), source)
    const key = this.#memory.keyOf(source, prioritized, added)
    return this.#once(key, signal, async () => {
      const { file, compression, action } = await this.#members(known, source)
      const task = {
        kind: 'assemble' as const,
        index: known.index.data,
        prioritized,
        added,
        members: file.path,
        keepIndex: this.#keepsIndex,
        ...this.#settings,
      }
      steps?.state('uploading')
      const result = await this.#upload(source, (write, either) =>
        this.#services.threads.run(task, { write, signal: either }),
      )
      return this.#finish(key, result, compression, action, signal)
    })
  }

  /** Lets go of what waits on disk for the layers of one image. */
  async release(): Promise<void> {
    this.#known.clear()
    this.#memory.clear()
    await Promise.all(this.#files.splice(0).map((file) => file.close()))
  }

  /** An index tells of directories, too. */
  get #keepsIndex(): boolean {
    return this.#services.cache !== undefined
  }

  /** The directories that a layer gets. */
  #added(known: KnownDirectories, { place, signal }: PlacedSource): Promise<AddedDirectory[]> {
    const find = async () => findDirectories(known, place, this.#services.threads, signal)
    return excusedWait(() => unlessAborted(find(), signal))
  }

  /** Uses what is there already, or does the work, once for all who ask for it at the same time. */
  #once(key: LayerKey, signal: AbortSignal, work: () => Promise<LayerOutcome>): Promise<LayerOutcome> {
    return this.#made.get(key.exact, () =>
      this.#together(key.exact, signal, async () => {
        const reused = await this.#memory.reuse(key, signal)
        return reused ? { layer: reused, action: 'reused' } : work()
      }),
    )
  }

  /** Does the work of a key once for all conversions of this process that ask for it at the same time. */
  #together(key: string, signal: AbortSignal, work: () => Promise<LayerOutcome>): Promise<LayerOutcome> {
    const { host, repository } = this.#target
    return this.#services.layersUnderWay.run(`${host}/${repository} ${key}`, signal, work)
  }

  async #download({ layer, steps }: Source, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const bytes = await this.#source.blob(layer, { signal })
    return steps?.reading(bytes) ?? bytes
  }

  async #split(source: Source): Promise<KnownLayer> {
    const { steps, signal } = source
    const file = await this.#file()
    const input = () => this.#download(source, signal)
    const { compression, index } = await withSide('source', () =>
      this.#services.threads.run(
        { kind: 'split', ...this.#settings },
        { input, write: (bytes) => file.write(bytes), signal },
      ),
    )
    steps?.state('converted')
    this.#tally.layer(index.columns.nameEnd.length, index.sourcePlainSize)
    return { index: new LayerIndex(index), members: { kind: 'split', file, compression } }
  }

  /** The members of a known layer in a file. Those of a layer that was converted before are its blob itself. */
  async #members(
    { members }: KnownLayer,
    { steps, signal }: Source,
  ): Promise<{ file: ScratchFile; compression: CompressionChoice; action: LayerAction }> {
    if (members.kind === 'split') return { ...members, action: 'arranged' }
    const { layer } = members.cached
    const file = await this.#file()
    const bytes = await withSide('source', () =>
      this.#memory.repositoryOf(members.cached).blob(layer, { signal }),
    )
    await file.writeAll(steps?.reading(bytes) ?? bytes)
    return { file, compression: layer.compression, action: 'rearranged' }
  }

  async #file(): Promise<ScratchFile> {
    const file = await this.#scratch.file()
    this.#files.push(file)
    return file
  }

  #upload<Result extends Blob>(
    { steps, signal }: Source,
    make: MakeBlob<Result>,
    beforeAgain?: () => Promise<void>,
  ): Promise<Result> {
    return this.#streamer.upload({
      target: this.#target,
      steps,
      signal,
      make: (write, either) => withSide('source', () => make(write, either)),
      beforeAgain,
    })
  }

  /** Pushes what belongs to a layer beside its blob, and remembers it. */
  async #finish(
    key: LayerKey,
    result: LayerResults['assemble'],
    compression: CompressionChoice,
    action: LayerAction,
    signal: AbortSignal,
  ): Promise<LayerOutcome> {
    const { externalToc, externalTocDiffId: diffId, packedIndex, ...blob } = result
    const toc =
      externalToc && (await withSide('target', () => this.#target.pushBytes(externalToc, { signal })))
    const outside = toc && diffId && { externalToc: { ...toc, diffId } }
    const layer: ConvertedLayer = { ...blob, compression, ...outside }
    const { host, repository } = this.#target
    await this.#services.cache?.layers.put(key, { layer, host, repository }, packedIndex)
    if (packedIndex) release(asBuffer(packedIndex))
    return { layer, action }
  }
}

type Blob = { readonly digest: Digest; readonly size: number }
type MakeBlob<Result extends Blob> = UploadedBlob<Result>['make']
