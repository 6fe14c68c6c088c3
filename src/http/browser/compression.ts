import { constants } from 'node:zlib'
import compress from '@fastify/compress'
import type { FastifyInstance } from 'fastify'
import { API_ROUTE } from './api-routes.ts'

/** Below this size, in bytes, a response fits into one packet in any case. */
const MIN_BYTES = 1400
/** JSON and text. Streams of events do not come here: nothing may hold them back. */
const COMPRESSED_TYPE = /^(application\/((problem\+)?json|x-ndjson)|text\/(?!event-stream)[a-z]+)(;|$)/
/**
 * Up to this size, in bytes, the main thread compresses a response at once, in about 0.2 ms. That costs less
 * than to hand it to the thread pool, which compresses larger ones.
 */
const MAX_SYNC_BYTES = 64 * 1024
/** Levels that cost little, and save most of what any level saves. */
const BROTLI_QUALITY = 2
const GZIP_LEVEL = 3
const ZSTD_LEVEL = 1

/** Compresses the responses of the API for callers that accept it (`Accept-Encoding`). */
export async function registerCompression(app: FastifyInstance): Promise<void> {
  app.addHook('onRoute', (route) => {
    // Blobs of the registry are compressed already.
    if (!API_ROUTE.test(route.url)) route.compress = false
  })
  await app.register(compress, {
    // Uploads of records decompress their bodies themselves, within bounds.
    globalDecompression: false,
    encodings: ['zstd', 'br', 'gzip'],
    threshold: MIN_BYTES,
    syncThreshold: MAX_SYNC_BYTES,
    customTypes: COMPRESSED_TYPE,
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
    // The library passes these to gzip, which reads the level, and to zstd, which reads the parameters.
    zlibOptions: {
      level: GZIP_LEVEL,
      ...{ params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } },
    },
  })
}
