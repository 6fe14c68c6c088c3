import { z } from 'zod'
import { DEFAULT_THREAD_MEMORY } from '../conversion/layers/thread-pool.ts'
import { DEFAULT_REQUEST_BOUNDS, type RequestBounds } from '../conversion/request-bounds.ts'
import { MAX_RECORD_ENTRIES, MAX_RECORD_GLOBS, type RecordLimits } from '../records/model.ts'
import { MAX_RECORD_STEPS } from '../records/step-budget.ts'
import { DEFAULT_BOUNDS, type ResponseBounds } from '../registry/transport/response-bounds.ts'
import { DEFAULT_LIMITS, type LayerLimits } from '../tar/limits.ts'

const MIB = 2 ** 20

/** @param least of the values that are taken */
export function wholeNumber(least: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .refine((value) => value >= least, `expected at least ${least}`)
}

function bound(least: number, usual: number, description: string) {
  return wholeNumber(least).prefault(String(usual)).describe(description)
}

/** The bounds on what callers, registries and layers may cost, each by the setting that raises it. */
export const BoundSettings = {
  RECORD_BROKER_MAX_BODY_BYTES: bound(
    16 * 1024,
    MIB,
    'bytes of the body of a request that is no record and no part of an image',
  ),
  RECORD_BROKER_REQUEST_SECONDS: bound(
    1,
    120,
    'how long a request may be worked on: beyond it the answer is 504, and the work is stopped',
  ),
  RECORD_BROKER_MIN_BODY_RATE: bound(
    0,
    1024,
    'bytes a second below which the body of a request comes too slowly (408); 0: any pace will do',
  ),
  RECORD_BROKER_MAX_CONNECTIONS: bound(1, 2000, 'connections to `serve` at a time; further ones are closed'),
  RECORD_BROKER_ANALYZERS: bound(
    1,
    4,
    'processes of `serve` that read records, images and registries for requests, one request each at a time',
  ),
  RECORD_BROKER_ANALYZER_MEMORY: bound(128 * MIB, 1024 * MIB, 'bytes of memory that such a process may take'),
  RECORD_BROKER_MAX_RECORD_BYTES: bound(
    1024,
    16 * MIB,
    'bytes of one uploaded record, unpacked, or of one in an image',
  ),
  RECORD_BROKER_MAX_RECORD_ENTRIES: bound(
    1,
    MAX_RECORD_ENTRIES,
    'different entries of one uploaded record, or of one in an image',
  ),
  RECORD_BROKER_MAX_RECORD_GLOBS: bound(0, MAX_RECORD_GLOBS, 'different globs among them'),
  RECORD_BROKER_MAX_RECORD_STEPS: bound(
    1_000_000,
    MAX_RECORD_STEPS,
    'steps of looking up a record in an image, of some 10 to 50 ns each: globs and deep names take many',
  ),
  RECORD_BROKER_MAX_LAYER_BYTES: bound(MIB, DEFAULT_LIMITS.maxPlainBytes, 'decompressed bytes of one layer'),
  RECORD_BROKER_MAX_ENTRIES: bound(
    1,
    DEFAULT_LIMITS.maxEntries,
    'entries of one layer, and of one table of contents, where the further chunks of a file count, too',
  ),
  RECORD_BROKER_MAX_INDEX_BYTES: bound(
    MIB,
    DEFAULT_LIMITS.maxIndexBytes,
    'bytes of memory for the names, attributes and places of the entries of one layer',
  ),
  RECORD_BROKER_MAX_TOC_BYTES: bound(
    MIB,
    DEFAULT_LIMITS.maxTocBytes,
    'decompressed bytes of one table of contents; compressed it may have a quarter of that',
  ),
  RECORD_BROKER_MAX_ZSTD_WINDOW: bound(
    MIB,
    DEFAULT_LIMITS.maxWindowBytes,
    'bytes of the window of a zstd layer, which a thread holds in memory',
  ),
  RECORD_BROKER_THREAD_MEMORY: bound(
    64 * MIB,
    DEFAULT_THREAD_MEMORY,
    'bytes of heap that a thread may have beside index and window of its layer',
  ),
  RECORD_BROKER_MAX_LAYERS: bound(1, DEFAULT_REQUEST_BOUNDS.maxLayers, 'layers of one image'),
  RECORD_BROKER_MAX_PLATFORMS: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxPlatforms,
    'images of one index that a request or job reads',
  ),
  RECORD_BROKER_MAX_REPORT_LAYERS: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxReportLayers,
    'layers of all images that a job or an evaluation reports on',
  ),
  RECORD_BROKER_MAX_MANIFESTS: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxManifests,
    'manifests that a request or job fetches',
  ),
  RECORD_BROKER_MAX_REQUEST_ENTRIES: bound(
    1,
    DEFAULT_REQUEST_BOUNDS.maxEntries,
    'entries of all layers that a request or job reads',
  ),
  RECORD_BROKER_MAX_REQUEST_BYTES: bound(
    MIB,
    DEFAULT_REQUEST_BOUNDS.maxBytes,
    'decompressed bytes of all layers that a request or job reads',
  ),
  RECORD_BROKER_MAX_JSON_DEPTH: bound(
    10,
    DEFAULT_BOUNDS.maxJsonDepth,
    'objects and arrays inside each other in a document of a registry',
  ),
  RECORD_BROKER_MAX_PAGES: bound(
    1,
    DEFAULT_BOUNDS.maxPages,
    'pages of one list of tags, referrers or repositories',
  ),
  RECORD_BROKER_MAX_LIST_BYTES: bound(
    64 * 1024,
    DEFAULT_BOUNDS.maxListBytes,
    'bytes of one list of tags, referrers or repositories',
  ),
  RECORD_BROKER_MAX_RULES: bound(1, 1000, 'rules about what is converted when it is pushed'),
}
const Bounds = z.object(BoundSettings)
type BoundValues = z.output<typeof Bounds>

/** The bounds, each where it is used. Sizes are bytes. */
export type ConfiguredBounds = {
  readonly layer: LayerLimits
  readonly request: RequestBounds
  readonly answers: ResponseBounds
  readonly record: Required<RecordLimits>
  readonly recordSteps: number
  readonly threadMemory: number
  readonly bodyBytes: number
  readonly requestMs: number
  readonly minBodyRate: number
  readonly maxConnections: number
  readonly analyzers: number
  readonly analyzerMemory: number
  readonly rules: number
}

export function configuredBounds(env: BoundValues): ConfiguredBounds {
  return {
    layer: {
      ...DEFAULT_LIMITS,
      maxPlainBytes: env.RECORD_BROKER_MAX_LAYER_BYTES,
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
    answers: {
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
    analyzers: env.RECORD_BROKER_ANALYZERS,
    analyzerMemory: env.RECORD_BROKER_ANALYZER_MEMORY,
    rules: env.RECORD_BROKER_MAX_RULES,
  }
}
