import { release } from '../bytes/release.ts'
import type { Scratch, ScratchFile } from '../bytes/scratch.ts'
import { Memo } from '../concurrency/memo.ts'
import type { BlobFormat } from '../estargz/blob-format.ts'
import { asBuffer } from '../estargz/byte-source.ts'
import type { CompressionChoice } from '../estargz/deflate/tuner.ts'
import type { Compression } from '../estargz/layer-coder.ts'
import { LayerIndex } from '../estargz/layer-index.ts'
import { unpackIndex } from '../estargz/packed-index.ts'
import type { Digest } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import type { Repository } from '../registry/repository.ts'
import type { LayerLimits } from '../tar/limits.ts'
import type { RequestTally } from './bounds.ts'
import { bringBlob } from './bring.ts'
import type { ConversionServices } from './context.ts'
import type { ConvertedLayer, LayerAction, MadeLayer } from './converted-layer.ts'
import { at } from './errors.ts'
import { type CachedIndex, type CachedLayer, type LayerKey, layerKey } from './layer-cache.ts'
import type { LayerResults } from './layer-task.ts'
import type { LayerSteps } from './progress.ts'
import { BlobStreamer } from './upload-blob.ts'

/** How the layers of a conversion are written. */
export type LayerSettings = {
  readonly limits: LayerLimits
  readonly format: BlobFormat
  readonly compression: Compression
}

/** A layer whose entries are known, and where its members are to be had. */
export type KnownLayer = {
  readonly index: LayerIndex
  readonly members:
    | { readonly kind: 'split'; readonly file: ScratchFile; readonly compression: CompressionChoice }
    | { readonly kind: 'converted'; readonly cached: CachedLayer }
}

/** A source layer on its way. */
type Source = {
  readonly layer: Descriptor
  readonly steps: LayerSteps | undefined
  readonly signal: AbortSignal
}

/** Makes the converted layers of one conversion: anew, out of what was converted before, or not at all. */
export class LayerMaker {
  readonly #services: ConversionServices
  readonly #source: Repository
  readonly #target: Repository
  readonly #scratch: Scratch
  readonly #tally: RequestTally
  readonly #settings: LayerSettings
  readonly #streamer: BlobStreamer
  /** Images of an index may share layers, and one image may have a layer twice. */
  readonly #made = new Memo<MadeLayer>()
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
  }

  /** Converts a layer with no prioritized files, while it is downloaded and uploaded. */
  stream(source: Source): Promise<MadeLayer> {
    const { layer, signal } = source
    const key = layerKey(layer, this.#settings, [])
    return this.#once(key, signal, async () => {
      const result = await this.#upload(source, async (write, either) => {
        const input = () => this.#download(source, either)
        const task = { kind: 'stream' as const, keepIndex: this.#keepsIndex, ...this.#settings }
        return this.#services.threads.run(task, { input, write, signal: either })
      })
      this.#tally.layer(result.entries, result.uncompressedSize)
      return this.#finish(key, result, result.compression, 'streamed', signal)
    })
  }

  /** Finds out what is in a layer, so that paths can be resolved: from the cache, or by cutting it into members. */
  know(source: Source): Promise<KnownLayer> {
    return this.#known.get(layerKey(source.layer, this.#settings, []).base, async () => {
      const cached = await this.#cachedIndex(source)
      // An index says what a table of contents does, in fewer bytes.
      const index = cached && unpackIndex(cached.index, this.#settings.limits.maxTocBytes)
      if (cached) release(asBuffer(cached.index))
      if (!index) return this.#split(source)
      this.#tally.layer(index.length, index.data.sourcePlainSize)
      const { layer, host, repository } = cached
      return { index, members: { kind: 'converted', cached: { layer, host, repository } } }
    })
  }

  /** Writes a known layer with prioritized entries first. */
  arrange(known: KnownLayer, prioritized: readonly string[], source: Source): Promise<MadeLayer> {
    const { layer, steps, signal } = source
    const key = layerKey(layer, this.#settings, prioritized)
    return this.#once(key, signal, async () => {
      const { file, compression, action } = await this.#members(known, source)
      const task = {
        kind: 'assemble' as const,
        index: known.index.data,
        prioritized,
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
    await Promise.all(this.#files.splice(0).map((file) => file.close()))
  }

  /** Only members that stand for themselves can be put into another order. */
  get #keepsIndex(): boolean {
    const { minChunkSize, lossless } = this.#settings.format
    return this.#services.cache !== undefined && minChunkSize === 0 && !lossless
  }

  /** Uses what is there already, or does the work, once for all who ask for it at the same time. */
  #once(key: LayerKey, signal: AbortSignal, work: () => Promise<MadeLayer>): Promise<MadeLayer> {
    const { host, repository } = this.#target
    return this.#made.get(key.exact, () =>
      this.#services.layersUnderWay.run(`${host}/${repository} ${key.exact}`, signal, async () => {
        const reused = await this.#reuse(key, signal)
        return reused ? { layer: reused, action: 'reused' } : work()
      }),
    )
  }

  /** A layer that was converted before, when it lies in the target's repository or can be mounted there. */
  async #reuse(key: LayerKey, signal: AbortSignal): Promise<ConvertedLayer | undefined> {
    const cached = await this.#services.cache?.layers.find(key)
    if (!cached || cached.host !== this.#target.host) return undefined
    const { layer } = cached
    const blobs = [layer, ...(layer.externalToc ? [layer.externalToc] : [])]
    for (const blob of blobs) {
      const brought = await at('target', () =>
        bringBlob(this.#target, this.#repositoryOf(cached), blob, signal),
      )
      if (brought === 'gone') await this.#services.cache?.layers.forget(key)
      if (brought !== 'there') return undefined
    }
    return layer
  }

  /** A layer of the same source that was converted in another order, when its members can be read. */
  async #cachedIndex({ layer, signal }: Source): Promise<CachedIndex | undefined> {
    if (!this.#keepsIndex) return undefined
    const cached = await this.#services.cache?.layers.findIndex(layerKey(layer, this.#settings, []))
    if (!cached) return undefined
    try {
      const size = await this.#repositoryOf(cached).hasBlob(cached.layer.digest, { signal })
      return size === cached.layer.size ? cached : undefined
    } catch {
      signal.throwIfAborted()
      // Whatever is wrong with that registry, the source is still there.
      return undefined
    }
  }

  #repositoryOf({ host, repository }: CachedLayer): Repository {
    return this.#services.registries.repository({ host, repository })
  }

  async #download({ layer, steps }: Source, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const bytes = await this.#source.blob(layer, { signal })
    return steps?.reading(bytes) ?? bytes
  }

  async #split(source: Source): Promise<KnownLayer> {
    const { steps, signal } = source
    const file = await this.#file()
    const input = () => this.#download(source, signal)
    const { compression, index } = await at('source', () =>
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
    const bytes = await at('source', () => this.#repositoryOf(members.cached).blob(layer, { signal }))
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
    make: (write: (bytes: Buffer) => Promise<void>, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    return this.#streamer.upload({
      target: this.#target,
      steps,
      signal,
      make: (write, either) => at('source', () => make(write, either)),
    })
  }

  /** Pushes what belongs to a layer beside its blob, and remembers it. */
  async #finish(
    key: LayerKey,
    result: LayerResults['assemble'],
    compression: CompressionChoice,
    action: LayerAction,
    signal: AbortSignal,
  ): Promise<MadeLayer> {
    const { externalToc, externalTocDiffId: diffId, packedIndex, ...blob } = result
    const toc = externalToc && (await at('target', () => this.#target.pushBytes(externalToc, { signal })))
    const outside = toc && diffId && { externalToc: { ...toc, diffId } }
    const layer: ConvertedLayer = { ...blob, compression, ...outside }
    const { host, repository } = this.#target
    await this.#services.cache?.layers.put(key, { layer, host, repository }, packedIndex)
    if (packedIndex) release(asBuffer(packedIndex))
    return { layer, action }
  }
}

type Blob = { readonly digest: Digest; readonly size: number }
