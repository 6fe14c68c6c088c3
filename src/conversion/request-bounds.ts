import { ReportBudget } from '../records/resolve/report-budget.ts'
import { ConversionError } from './errors.ts'

/** Bounds on one request or job, over all of its images. Passing one raises a ConversionError with the code LIMIT_EXCEEDED. */
export type RequestBounds = {
  /** Layers of one image. */
  readonly maxLayers: number
  /** Images of one index that are read. */
  readonly maxPlatforms: number
  /** Layers of all images that are reported on. */
  readonly maxReportLayers: number
  /** Manifests that are fetched. */
  readonly maxManifests: number
  /** Entries of all layers; the further chunks of files count as entries where a table of contents is read. */
  readonly maxEntries: number
  /** Bytes of all layers, decompressed. */
  readonly maxBytes: number
}

/** Runtimes mount some 120 to 500 layers. */
export const DEFAULT_REQUEST_BOUNDS: RequestBounds = {
  maxLayers: 500,
  maxPlatforms: 100,
  maxReportLayers: 5000,
  maxManifests: 10_000,
  maxEntries: 4_000_000,
  maxBytes: 512 * 2 ** 30,
}

/** The settings that raise a bound. */
export const REQUEST_BOUND_SETTINGS = {
  maxLayers: 'RECORD_BROKER_MAX_LAYERS',
  maxPlatforms: 'RECORD_BROKER_MAX_PLATFORMS',
  maxReportLayers: 'RECORD_BROKER_MAX_REPORT_LAYERS',
  maxManifests: 'RECORD_BROKER_MAX_MANIFESTS',
  maxEntries: 'RECORD_BROKER_MAX_REQUEST_ENTRIES',
  maxBytes: 'RECORD_BROKER_MAX_REQUEST_BYTES',
} as const satisfies Record<keyof RequestBounds, string>

/** Counts what one request or job takes of its bounds. */
export class RequestTally {
  readonly #bounds: RequestBounds
  /** Of the report. */
  readonly room = new ReportBudget()
  #manifests = 0
  #entries = 0
  #bytes = 0

  constructor(bounds: RequestBounds = DEFAULT_REQUEST_BOUNDS) {
    this.#bounds = bounds
  }

  /** A manifest is about to be fetched. @throws ConversionError LIMIT_EXCEEDED */
  manifest(): void {
    this.#manifests += 1
    this.#check('maxManifests', this.#manifests, 'it takes too many manifests')
  }

  /** @param what names the image, such as "manifest sha256:…" @throws ConversionError LIMIT_EXCEEDED */
  checkLayers(count: number, what: string): void {
    this.#check('maxLayers', count, `${what} has ${count} layers`)
  }

  /** @param what names the index @throws ConversionError LIMIT_EXCEEDED */
  checkPlatforms(count: number, what: string): void {
    this.#check('maxPlatforms', count, `${what} has more images than are read at once`)
  }

  /**
   * @param images that are reported on
   * @param what names them
   * @throws ConversionError LIMIT_EXCEEDED
   */
  checkReport(
    images: readonly { readonly manifest: { readonly layers: readonly unknown[] } }[],
    what: string,
  ): void {
    const layers = images.reduce((sum, { manifest }) => sum + manifest.layers.length, 0)
    this.#check('maxReportLayers', layers, `the images of ${what} have ${layers} layers together`)
  }

  /** A layer was read. @param plainBytes of it, where they were read @throws ConversionError LIMIT_EXCEEDED */
  layer(entries: number, plainBytes: number): void {
    this.#entries += entries
    this.#bytes += plainBytes
    this.#check('maxEntries', this.#entries, 'its layers have too many entries together')
    this.#check('maxBytes', this.#bytes, 'its layers are too large together when decompressed')
  }

  #check(name: keyof RequestBounds, value: number, what: string): void {
    if (value <= this.#bounds[name]) return
    throw new ConversionError(
      'LIMIT_EXCEEDED',
      `${what}: ${REQUEST_BOUND_SETTINGS[name]} allows ${this.#bounds[name]}`,
    )
  }
}
