import { raceAbort } from '../../concurrency/abort.ts'
import { pauseStallWatch } from '../../concurrency/stall-watch.ts'
import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import type { LayerResults, ScannedLayer } from '../layers/layer-task.ts'
import type { LayerOutcome } from '../reuse/converted-layer.ts'
import { LayerListings } from '../reuse/layer-listings.ts'
import type { LayerReuse } from '../reuse/layer-reuse.ts'
import { inheritDirectories, waitForInheritedDirectories } from './inherit-directories.ts'
import type { PositionedLayer } from './layer-position.ts'
import type { LayerConversionContext, LayerPublisher, ProduceLayer } from './layer-publisher.ts'

/** Converts layers without prioritized files while they are downloaded and uploaded. */
export class LayerStreamer {
  readonly #context: LayerConversionContext
  readonly #reuse: LayerReuse
  readonly #publisher: LayerPublisher
  readonly #listings: LayerListings

  constructor(context: LayerConversionContext, reuse: LayerReuse, publisher: LayerPublisher) {
    this.#context = context
    this.#reuse = reuse
    this.#publisher = publisher
    this.#listings = new LayerListings(context)
  }

  async stream(layer: PositionedLayer): Promise<LayerOutcome> {
    const { descriptor, position, signal } = layer
    const { threads } = this.#context.services
    const key = `${this.#reuse.keyFor(descriptor).base} ${position.key}`
    const outcome = await this.#publisher.convertOnce(key, signal, async () => {
      const directories = await this.#listings.findCachedDirectories(layer)
      if (directories) {
        position.setDirectories(directories)
        const added = await waitForInheritedDirectories(directories, layer, threads)
        const reused = await this.#reuse.findReusable(layer, this.#reuse.keyFor(descriptor, [], added))
        if (reused) return { layer: reused, action: 'reused' }
      }
      return this.#convert(layer)
    })
    position.setDirectories(this.#listings.directoriesFor(layer, outcome.layer))
    return outcome
  }

  /** Releases the listings of the layers of one image. */
  release(): void {
    this.#listings.clear()
  }

  async #convert(layer: PositionedLayer): Promise<LayerOutcome> {
    const { descriptor, progress, position, signal } = layer
    const { services, source, settings, tally } = this.#context
    const { threads } = services
    let added: readonly AddedDirectory[] = []
    const produce: ProduceLayer<LayerResults['stream']> = async (write, uploadSignal) => {
      const input = async () => {
        const bytes = await source.openBlob(descriptor, { signal: uploadSignal })
        return progress?.countReads(bytes) ?? bytes
      }
      const task = { kind: 'stream' as const, keepIndex: this.#publisher.keepsIndex, ...settings }
      const findDirectories = (scanned: ScannedLayer) => {
        const inherited = inheritDirectories(
          this.#setScanned(layer, scanned),
          position,
          threads,
          uploadSignal,
        )
        const remember = (directories: readonly AddedDirectory[]) => {
          added = directories
          return directories
        }
        return inherited instanceof Promise ? inherited.then(remember) : remember(inherited)
      }
      const directories = { whenReady: () => position.waitForLowerDirectories(), find: findDirectories }
      return threads.run(task, { input, write, directories, signal: uploadSignal })
    }
    // A registry may close an upload that pauses for long: a retry starts when there is nothing left to wait
    // for.
    const beforeRetry = () => pauseStallWatch(() => raceAbort(position.waitForLowerDirectories(), signal))
    const result = await this.#publisher.upload(layer, produce, beforeRetry)
    tally.countLayer(result.entries, result.uncompressedSize)
    const key = this.#reuse.keyFor(descriptor, [], added)
    const origin = { compression: result.compression, action: 'streamed' as const }
    return this.#publisher.finish(key, result, origin, signal)
  }

  /** Sets the directories of a layer that was read to its end, for the layers above. */
  #setScanned(layer: PositionedLayer, { columns, ...summary }: ScannedLayer) {
    const directories = { ...summary, columns: async () => columns }
    if (!layer.position.isTop) {
      this.#listings.add(layer, columns)
      layer.position.setDirectories(directories)
    }
    return directories
  }
}
