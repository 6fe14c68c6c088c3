import { ReportBudget } from '../records/resolve/report-budget.ts'
import { ConversionError } from './errors.ts'

/**
 * Bounds on one request or job, over all of its images. Exceeding one is a ConversionError LIMIT_EXCEEDED.
 */
export type RequestBounds = {
  /** Layers in one image. */
  readonly maxLayers: number
  /** Images read from one index. */
  readonly maxPlatforms: number
  /** Layers that one report describes, over all images. */
  readonly maxReportLayers: number
  /** Manifests fetched. */
  readonly maxManifests: number
  /**
   * Entries in all layers. Where a table of contents is read, each further chunk of a file counts as an
   * entry.
   */
  readonly maxEntries: number
  /** Uncompressed bytes of all layers. */
  readonly maxBytes: number
}

/** Container runtimes mount at most some 120 to 500 layers. */
export const DEFAULT_REQUEST_BOUNDS: RequestBounds = {
  maxLayers: 500,
  maxPlatforms: 100,
  maxReportLayers: 5000,
  maxManifests: 10_000,
  maxEntries: 4_000_000,
  maxBytes: 512 * 2 ** 30,
}

/** The setting that raises each bound. */
const REQUEST_BOUND_SETTINGS = {
  maxLayers: 'RECORD_BROKER_MAX_LAYERS',
  maxPlatforms: 'RECORD_BROKER_MAX_PLATFORMS',
  maxReportLayers: 'RECORD_BROKER_MAX_REPORT_LAYERS',
  maxManifests: 'RECORD_BROKER_MAX_MANIFESTS',
  maxEntries: 'RECORD_BROKER_MAX_REQUEST_ENTRIES',
  maxBytes: 'RECORD_BROKER_MAX_REQUEST_BYTES',
} as const satisfies Record<keyof RequestBounds, string>

/** Counts what one request or job uses of its bounds. Every method throws ConversionError LIMIT_EXCEEDED. */
export class RequestTally {
  readonly #bounds: RequestBounds
  /** The number and bytes of path names that the report may still contain. */
  readonly reportBudget = new ReportBudget()
  #manifests = 0
  #entries = 0
  #bytes = 0

  constructor(bounds: RequestBounds = DEFAULT_REQUEST_BOUNDS) {
    this.#bounds = bounds
  }

  /** Call it before a manifest is fetched. */
  countManifest(): void {
    this.#manifests += 1
    this.#assert('maxManifests', this.#manifests, 'the request needs too many manifests')
  }

  /** @param image the subject of the error message, such as "manifest sha256:…" */
  assertLayerCount(count: number, image: string): void {
    this.#assert('maxLayers', count, `${image} has ${count} layers`)
  }

  /** @param index the subject of the error message, such as "index of sha256:…" */
  assertPlatformCount(count: number, index: string): void {
    this.#assert('maxPlatforms', count, `${index} has too many images`)
  }

  /** @param reference the image or index that the report is about, for the error message */
  assertReportLayers(
    images: readonly { readonly manifest: { readonly layers: readonly unknown[] } }[],
    reference: string,
  ): void {
    const layers = images.reduce((sum, { manifest }) => sum + manifest.layers.length, 0)
    this.#assert('maxReportLayers', layers, `the images of ${reference} have ${layers} layers in total`)
  }

  /** @param uncompressedBytes 0 if only the table of contents of the layer was read */
  countLayer(entries: number, uncompressedBytes: number): void {
    this.#entries += entries
    this.#bytes += uncompressedBytes
    this.#assert('maxEntries', this.#entries, 'the layers have too many entries in total')
    this.#assert('maxBytes', this.#bytes, 'the layers have too many uncompressed bytes in total')
  }

  #assert(bound: keyof RequestBounds, value: number, problem: string): void {
    if (value <= this.#bounds[bound]) return
    throw new ConversionError(
      'LIMIT_EXCEEDED',
      `${problem}; raise ${REQUEST_BOUND_SETTINGS[bound]}, which allows ${this.#bounds[bound]}`,
    )
  }
}
