import { releaseBuffers } from '../../bytes/release-buffers.ts'
import type { Scratch } from '../../bytes/scratch.ts'
import { asBuffer } from '../../compression/byte-source.ts'
import type { CompressionChoice } from '../../compression/deflate/tuner.ts'
import { Memo } from '../../concurrency/memo.ts'
import type { BlobDescriptor } from '../../registry/blobs/blob-request.ts'
import type { Repository } from '../../registry/repository.ts'
import { withSide } from '../errors.ts'
import type { LayerResults } from '../layers/layer-task.ts'
import type { RequestTally } from '../request-bounds.ts'
import type { ConvertedLayer, LayerAction, LayerOutcome } from '../reuse/converted-layer.ts'
import type { KnownLayers } from '../reuse/known-layers.ts'
import type { LayerKey, LayerOutputSettings } from '../reuse/layer-key.ts'
import type { SourceLayer } from '../reuse/layer-listings.ts'
import type { ConversionServices } from '../services.ts'
import { BlobStreamer, type BlobUpload } from './blob-streamer.ts'

/** What all layers of one conversion are converted with. */
export type LayerConversionContext = {
  readonly services: ConversionServices
  readonly known: KnownLayers
  readonly source: Repository
  readonly target: Repository
  readonly scratch: Scratch
  readonly tally: RequestTally
  readonly settings: LayerOutputSettings
}

/** Produces the bytes of a converted layer; see {@link BlobUpload}. */
export type ProduceLayer<Result extends BlobDescriptor> = BlobUpload<Result>['produce']

/** How a layer was compressed, and the action that the report names. */
export type LayerOrigin = { readonly compression: CompressionChoice; readonly action: LayerAction }

/** Uploads the converted layers of one conversion and caches them. Each layer is converted once. */
export class LayerPublisher {
  readonly #services: ConversionServices
  readonly #source: Repository
  readonly #target: Repository
  readonly #streamer: BlobStreamer
  /** Images of an index may share layers, and one image may have a layer twice. */
  readonly #outcomes = new Memo<LayerOutcome>()

  constructor({ services, source, target, scratch }: LayerConversionContext) {
    this.#services = services
    this.#source = source
    this.#target = target
    this.#streamer = new BlobStreamer(target, scratch)
  }

  /** Whether the indexes of layers are cached, from which layers are rearranged and directories inherited. */
  get keepsIndex(): boolean {
    return this.#services.cache !== undefined
  }

  /**
   * Converts a layer once for all conversions of this project and this process that need it at the same time. Whether
   * another project may read the source is not known, so that nothing is shared with it here.
   */
  convertOnce(key: string, signal: AbortSignal, convert: () => Promise<LayerOutcome>): Promise<LayerOutcome> {
    const { layersInProgress, project } = this.#services
    const { host, repository } = this.#target
    return this.#outcomes.get(key, () =>
      layersInProgress.run(`${project} ${host}/${repository} ${key}`, signal, convert),
    )
  }

  /** Uploads the blob of a layer while it is produced. @throws SideError */
  upload<Result extends BlobDescriptor>(
    { progress, signal }: SourceLayer,
    produce: ProduceLayer<Result>,
    beforeRetry?: () => Promise<void>,
  ): Promise<Result> {
    return this.#streamer.upload({
      progress,
      signal,
      produce: (write, uploadSignal) => withSide('source', () => produce(write, uploadSignal)),
      beforeRetry,
    })
  }

  /** Pushes the external table of contents of an uploaded layer, if there is one, and caches the layer. */
  async finish(
    key: LayerKey,
    result: LayerResults['assemble'],
    { compression, action }: LayerOrigin,
    signal: AbortSignal,
  ): Promise<LayerOutcome> {
    const { externalToc: tocBytes, externalTocDiffId: diffId, encodedIndex, ...blob } = result
    const tocBlob = tocBytes && (await withSide('target', () => this.#target.pushBytes(tocBytes, { signal })))
    const externalToc = tocBlob && diffId && { externalToc: { ...tocBlob, diffId } }
    const layer: ConvertedLayer = { ...blob, compression, ...externalToc }
    const { host, repository } = this.#target
    const cached = { layer, host, repository, sourceHost: this.#source.host }
    await this.#services.cache?.layers.put(key, cached, encodedIndex)
    if (encodedIndex) releaseBuffers(asBuffer(encodedIndex))
    return { layer, action }
  }
}
