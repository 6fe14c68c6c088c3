import type { ScratchFile } from '../../bytes/scratch.ts'
import type { CompressionChoice } from '../../compression/deflate/tuner.ts'
import { Memo } from '../../concurrency/memo.ts'
import { summarizeDirectories } from '../../estargz/index/added-directories.ts'
import { LayerIndex } from '../../estargz/index/layer-index.ts'
import { withSide } from '../errors.ts'
import type { LayerOutcome } from '../reuse/converted-layer.ts'
import type { CachedLayer } from '../reuse/layer-cache.ts'
import type { LayerDirectories, SourceLayer } from '../reuse/layer-listings.ts'
import type { LayerReuse } from '../reuse/layer-reuse.ts'
import { waitForInheritedDirectories } from './inherit-directories.ts'
import type { PositionedLayer } from './layer-position.ts'
import type { LayerConversionContext, LayerOrigin, LayerPublisher } from './layer-publisher.ts'

/** The index of a layer, and its compressed members: in a scratch file, or in the blob of a cached layer. */
export type IndexedLayer = {
  readonly index: LayerIndex
  readonly members:
    | { readonly kind: 'split'; readonly file: ScratchFile; readonly compression: CompressionChoice }
    | { readonly kind: 'cached'; readonly cached: CachedLayer }
}

export function directoriesFromIndex(index: LayerIndex): LayerDirectories {
  return { ...summarizeDirectories(index), columns: async () => index.columns }
}

/**
 * Converts layers with prioritized files in two steps: all layers of an image are indexed before any is
 * written, because paths are resolved across layers.
 */
export class LayerArranger {
  readonly #context: LayerConversionContext
  readonly #reuse: LayerReuse
  readonly #publisher: LayerPublisher
  readonly #indexed = new Memo<IndexedLayer>()
  readonly #files: ScratchFile[] = []

  constructor(context: LayerConversionContext, reuse: LayerReuse, publisher: LayerPublisher) {
    this.#context = context
    this.#reuse = reuse
    this.#publisher = publisher
  }

  /** Indexes a layer: from the cache, or by splitting the source into members. */
  indexLayer(layer: SourceLayer): Promise<IndexedLayer> {
    return this.#indexed.get(this.#reuse.keyFor(layer.descriptor).base, async () => {
      const rearrangeable = await this.#reuse.findRearrangeable(layer)
      if (!rearrangeable) return this.#split(layer)
      const { index, cached } = rearrangeable
      this.#context.tally.countLayer(index.length, index.data.sourceUncompressedSize)
      return { index, members: { kind: 'cached', cached } }
    })
  }

  /**
   * Writes an indexed layer with prioritized entries first. The directories of the layers below must be set.
   */
  async arrange(
    { index, members }: IndexedLayer,
    prioritized: readonly string[],
    layer: PositionedLayer,
  ): Promise<LayerOutcome> {
    const { descriptor, progress, signal } = layer
    const { services, settings } = this.#context
    const { threads } = services
    const added = await waitForInheritedDirectories(directoriesFromIndex(index), layer, threads)
    const key = this.#reuse.keyFor(descriptor, prioritized, added)
    return this.#publisher.convertOnce(key.exact, signal, async () => {
      const reused = await this.#reuse.findReusable(layer, key)
      if (reused) return { layer: reused, action: 'reused' }
      const { file, ...origin } = await this.#openMembers(members, layer)
      const task = {
        kind: 'assemble' as const,
        index: index.data,
        prioritized,
        added,
        membersPath: file.path,
        keepIndex: this.#publisher.keepsIndex,
        ...settings,
      }
      progress?.enterState('uploading')
      const result = await this.#publisher.upload(layer, (write, uploadSignal) =>
        threads.run(task, { write, signal: uploadSignal }),
      )
      return this.#publisher.finish(key, result, origin, signal)
    })
  }

  /** Releases the indexes and scratch files of the layers of one image. */
  async release(): Promise<void> {
    this.#indexed.clear()
    await Promise.all(this.#files.splice(0).map((file) => file.close()))
  }

  async #split({ descriptor, progress, signal }: SourceLayer): Promise<IndexedLayer> {
    const { services, source, settings, tally } = this.#context
    const file = await this.#createFile()
    const input = async () => {
      const bytes = await source.openBlob(descriptor, { signal })
      return progress?.countReads(bytes) ?? bytes
    }
    const { compression, index } = await withSide('source', () =>
      services.threads.run(
        { kind: 'split', ...settings },
        {
          input,
          write: (bytes) => {
            progress?.countWritten(bytes.length)
            return file.write(bytes)
          },
          signal,
        },
      ),
    )
    progress?.enterState('converted')
    tally.countLayer(index.columns.nameEnd.length, index.sourceUncompressedSize)
    return { index: new LayerIndex(index), members: { kind: 'split', file, compression } }
  }

  /**
   * Returns the file with the members of a layer. Those of a cached layer are its blob, which is downloaded.
   */
  async #openMembers(
    members: IndexedLayer['members'],
    { progress, signal }: SourceLayer,
  ): Promise<LayerOrigin & { readonly file: ScratchFile }> {
    if (members.kind === 'split') {
      const { file, compression } = members
      return { file, compression, action: 'arranged' }
    }
    const { cached } = members
    const file = await this.#createFile()
    const bytes = await withSide('source', () =>
      this.#reuse.repositoryFor(cached).openBlob(cached.layer, { signal }),
    )
    await file.writeAll(progress?.countReads(bytes) ?? bytes)
    return { file, compression: cached.layer.compression, action: 'rearranged' }
  }

  async #createFile(): Promise<ScratchFile> {
    const file = await this.#context.scratch.createFile()
    this.#files.push(file)
    return file
  }
}
