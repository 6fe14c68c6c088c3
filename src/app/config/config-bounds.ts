import { z } from 'zod'
import { DEFAULT_SCAN_BOUNDS, type ScanBounds } from '../../catalogue/scan/scan-bounds.ts'
import { DEFAULT_THREAD_MEMORY_BYTES } from '../../conversion/layers/thread-pool.ts'
import { DEFAULT_REQUEST_BOUNDS, type RequestBounds } from '../../conversion/request-bounds.ts'
import type { EdgeLimits } from '../../http/app.ts'
import type { SeriesRetention } from '../../jobs/series/series-upkeep.ts'
import { MAX_RECORD_ENTRIES, MAX_RECORD_GLOBS, type RecordLimits } from '../../records/model.ts'
import { MAX_RECORD_STEPS } from '../../records/record-step-budget.ts'
import { DEFAULT_RESPONSE_BOUNDS, type ResponseBounds } from '../../registry/transport/response-bounds.ts'
import { DEFAULT_LAYER_LIMITS, type LayerLimits } from '../../tar/layer-limits.ts'
import { wholeNumber } from './setting-values.ts'

const MIB = 2 ** 20

function bound(min: number, defaultValue: number, description: string) {
  return wholeNumber(min).prefault(String(defaultValue)).describe(description)
}

/** The bounds on the cost of callers, registries and layers, by the setting that raises each. */
export const BoundSettings = {
  RECORD_BROKER_MAX_BODY_BYTES: bound(
    16 * 1024,
    MIB,
    'bytes of a request body, records and image uploads excepted',
  ),
  RECORD_BROKER_REQUEST_SECONDS: bound(
    1,
    120,
    'the deadline of a request; later it is stopped with status 504',
  ),
  RECORD_BROKER_MIN_BODY_RATE: bound(
    0,
    1024,
    'the lowest rate of a request body in bytes per second, below which the request is refused with 408; 0 disables the check',
  ),
  RECORD_BROKER_MAX_CONNECTIONS: bound(1, 2000, 'open connections to `serve`; further ones are closed'),
  RECORD_BROKER_RATE_LIMIT: bound(
    0,
    6000,
    'requests per minute of one API token, workload or person; 0 disables the limit, which never applies to RECORD_BROKER_TOKEN',
  ),
  RECORD_BROKER_MAX_WRONG_CREDENTIALS: bound(
    0,
    300,
    'wrong credentials per minute from one address, after which others from there are refused with 429; 0 disables the limit',
  ),
  RECORD_BROKER_MAX_DELAY_MS: bound(
    0,
    1000,
    'the mean delay of the event loop of `serve` within a second, in milliseconds, beyond which it refuses requests with 503; 0 disables the check',
  ),
  RECORD_BROKER_ANALYZERS: bound(
    1,
    4,
    'analyzer processes of `serve`, which read records, images and registries for requests, one request at a time each',
  ),
  RECORD_BROKER_ANALYZER_MEMORY: bound(128 * MIB, 1024 * MIB, 'bytes of memory of an analyzer process'),
  RECORD_BROKER_MAX_RECORD_BYTES: bound(
    1024,
    16 * MIB,
    'decompressed bytes of one record, uploaded or in an image',
  ),
  RECORD_BROKER_MAX_RECORD_ENTRIES: bound(
    1,
    MAX_RECORD_ENTRIES,
    'distinct entries of one record, uploaded or in an image',
  ),
  RECORD_BROKER_MAX_RECORD_GLOBS: bound(0, MAX_RECORD_GLOBS, 'distinct globs of one record'),
  RECORD_BROKER_MAX_RECORD_STEPS: bound(
    1_000_000,
    MAX_RECORD_STEPS,
    'steps to resolve a record in an image, 10 to 50 ns each; globs and deep paths need many',
  ),
  RECORD_BROKER_MAX_LAYER_BYTES: bound(
    MIB,
    DEFAULT_LAYER_LIMITS.maxUncompressedBytes,
    'decompressed bytes of one layer',
  ),
  RECORD_BROKER_MAX_ENTRIES: bound(
    1,
    DEFAULT_LAYER_LIMITS.maxEntries,
    'entries of one layer or table of contents; each further chunk of a file counts as one',
  ),
  RECORD_BROKER_MAX_INDEX_BYTES: bound(
    MIB,
    DEFAULT_LAYER_LIMITS.maxIndexBytes,
    'bytes of memory for the index of one layer: names, attributes and offsets of its entries',
  ),
  RECORD_BROKER_MAX_TOC_BYTES: bound(
    MIB,
    DEFAULT_LAYER_LIMITS.maxTocBytes,
    'decompressed bytes of one table of contents; the compressed limit is a quarter of it',
  ),
  RECORD_BROKER_MAX_ZSTD_WINDOW: bound(
    MIB,
    DEFAULT_LAYER_LIMITS.maxWindowBytes,
    'bytes of the window of a zstd layer, which its thread holds in memory',
  ),
  RECORD_BROKER_THREAD_MEMORY: bound(
    64 * MIB,
    DEFAULT_THREAD_MEMORY_BYTES,
    'bytes of heap of a thread, besides the index and the window of its layer',
  ),
  RECORD_BROKER_MAX_LAYERS: bound(1, DEFAULT_REQUEST_BOUNDS.maxLayers, 'layers of one image'),
  RECORD_BROKER_MAX_PLATFORMS: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxPlatforms,
    'images of one index that a request or a job reads',
  ),
  RECORD_BROKER_MAX_REPORT_LAYERS: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxReportLayers,
    'layers of all images in the report of a job or an evaluation',
  ),
  RECORD_BROKER_MAX_MANIFESTS: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxManifests,
    'manifests that a request or a job fetches',
  ),
  RECORD_BROKER_MAX_REQUEST_ENTRIES: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxEntries,
    'entries of all layers that a request or a job reads',
  ),
  RECORD_BROKER_MAX_REQUEST_BYTES: bound(
    MIB,
    DEFAULT_REQUEST_BOUNDS.maxBytes,
    'decompressed bytes of all layers that a request or a job reads',
  ),
  RECORD_BROKER_MAX_JSON_DEPTH: bound(
    10,
    DEFAULT_RESPONSE_BOUNDS.maxJsonDepth,
    'nesting depth of a JSON document from a registry',
  ),
  RECORD_BROKER_MAX_PAGES: bound(
    1,
    DEFAULT_RESPONSE_BOUNDS.maxPages,
    'pages of one list of tags, referrers or repositories',
  ),
  RECORD_BROKER_MAX_LIST_BYTES: bound(
    64 * 1024,
    DEFAULT_RESPONSE_BOUNDS.maxListBytes,
    'bytes of one list of tags, referrers or repositories',
  ),
  RECORD_BROKER_MAX_RULES: bound(1, 1000, 'rules for converting pushed images'),
  RECORD_BROKER_SCAN_SECONDS: bound(
    0,
    DEFAULT_SCAN_BOUNDS.intervalMs / 1000,
    'the pause between two scans of the backing registry for the catalogue; 0 disables the scan',
  ),
  RECORD_BROKER_SCAN_RATE: bound(
    1,
    DEFAULT_SCAN_BOUNDS.requestsPerSecond,
    'requests per second that the scan sends to the registry',
  ),
  RECORD_BROKER_SCAN_CONCURRENCY: bound(
    1,
    DEFAULT_SCAN_BOUNDS.concurrency,
    'requests of the scan that are open at the same time',
  ),
  RECORD_BROKER_SCAN_REPOSITORIES: bound(
    1,
    DEFAULT_SCAN_BOUNDS.maxRepositories,
    'repositories of the backing registry that the catalogue covers',
  ),
  RECORD_BROKER_SCAN_TAGS: bound(
    1,
    DEFAULT_SCAN_BOUNDS.maxTags,
    'tags of one repository that the catalogue covers',
  ),
  RECORD_BROKER_MAX_CATALOGUE_IMAGES: bound(
    1,
    DEFAULT_SCAN_BOUNDS.maxImages,
    'images and record images that the catalogue takes over from registries',
  ),
  RECORD_BROKER_MAX_EVENT_STREAMS: bound(1, 1000, 'streams of events that are open to `serve` at a time'),
  RECORD_BROKER_HOURLY_SERIES_DAYS: bound(1, 30, 'days for which the time series of hours are kept'),
  RECORD_BROKER_DAILY_SERIES_DAYS: bound(1, 730, 'days for which the time series of days are kept'),
}
const Bounds = z.object(BoundSettings)
type BoundValues = z.output<typeof Bounds>

/** The bounds, grouped by the component that applies them. Sizes are in bytes. */
export type ConfiguredBounds = {
  readonly layer: LayerLimits
  readonly request: RequestBounds
  readonly responses: ResponseBounds
  readonly record: Required<RecordLimits>
  readonly recordSteps: number
  readonly threadMemory: number
  readonly bodyBytes: number
  readonly requestMs: number
  readonly minBodyRate: number
  readonly maxConnections: number
  readonly edge: EdgeLimits
  readonly analyzers: number
  readonly analyzerMemory: number
  readonly rules: number
  readonly scan: ScanBounds
  readonly eventStreams: number
  readonly seriesRetention: SeriesRetention
}

export function configuredBounds(env: BoundValues): ConfiguredBounds {
  return {
    layer: {
      ...DEFAULT_LAYER_LIMITS,
      maxUncompressedBytes: env.RECORD_BROKER_MAX_LAYER_BYTES,
      maxEntries: env.RECORD_BROKER_MAX_ENTRIES,
      maxIndexBytes: env.RECORD_BROKER_MAX_INDEX_BYTES,
      maxTocBytes: env.RECORD_BROKER_MAX_TOC_BYTES,
      maxWindowBytes: env.RECORD_BROKER_MAX_ZSTD_WINDOW,
    },
    request: {
      maxLayers: env.RECORD_BROKER_MAX_LAYERS,
      maxPlatforms: env.RECORD_BROKER_MAX_PLATFORMS,
      maxReportLayers: env.RECORD_BROKER_MAX_REPORT_LAYERS,
      maxManifests: env.RECORD_BROKER_MAX_MANIFESTS,
      maxEntries: env.RECORD_BROKER_MAX_REQUEST_ENTRIES,
      maxBytes: env.RECORD_BROKER_MAX_REQUEST_BYTES,
    },
    responses: {
      maxJsonDepth: env.RECORD_BROKER_MAX_JSON_DEPTH,
      maxPages: env.RECORD_BROKER_MAX_PAGES,
      maxListBytes: env.RECORD_BROKER_MAX_LIST_BYTES,
    },
    record: {
      maxBytes: env.RECORD_BROKER_MAX_RECORD_BYTES,
      maxEntries: env.RECORD_BROKER_MAX_RECORD_ENTRIES,
      maxGlobs: env.RECORD_BROKER_MAX_RECORD_GLOBS,
      maxSteps: env.RECORD_BROKER_MAX_RECORD_STEPS,
    },
    recordSteps: env.RECORD_BROKER_MAX_RECORD_STEPS,
    threadMemory: env.RECORD_BROKER_THREAD_MEMORY,
    bodyBytes: env.RECORD_BROKER_MAX_BODY_BYTES,
    requestMs: env.RECORD_BROKER_REQUEST_SECONDS * 1000,
    minBodyRate: env.RECORD_BROKER_MIN_BODY_RATE,
    maxConnections: env.RECORD_BROKER_MAX_CONNECTIONS,
    edge: {
      requestsPerMinute: env.RECORD_BROKER_RATE_LIMIT,
      wrongCredentialsPerMinute: env.RECORD_BROKER_MAX_WRONG_CREDENTIALS,
      maxDelayMs: env.RECORD_BROKER_MAX_DELAY_MS,
    },
    analyzers: env.RECORD_BROKER_ANALYZERS,
    analyzerMemory: env.RECORD_BROKER_ANALYZER_MEMORY,
    rules: env.RECORD_BROKER_MAX_RULES,
    scan: {
      intervalMs: env.RECORD_BROKER_SCAN_SECONDS * 1000,
      requestsPerSecond: env.RECORD_BROKER_SCAN_RATE,
      concurrency: env.RECORD_BROKER_SCAN_CONCURRENCY,
      maxRepositories: env.RECORD_BROKER_SCAN_REPOSITORIES,
      maxTags: env.RECORD_BROKER_SCAN_TAGS,
      maxImages: env.RECORD_BROKER_MAX_CATALOGUE_IMAGES,
    },
    eventStreams: env.RECORD_BROKER_MAX_EVENT_STREAMS,
    seriesRetention: {
      hour: env.RECORD_BROKER_HOURLY_SERIES_DAYS,
      day: env.RECORD_BROKER_DAILY_SERIES_DAYS,
    },
  }
}
