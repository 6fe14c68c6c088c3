import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, crc32, createDeflateRaw, deflateRaw, deflateRawSync } from 'node:zlib'
import { Digester } from '../../src/bytes/digester.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { OCI_LAYER_GZIP } from '../../src/oci/media-types.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { pushImage } from './source-image.ts'
import { listTarPieces, moveHeader, readPiece, type TarPiece } from './tar-pieces.ts'

/** The minimum uncompressed size of a huge layer, which overflows the size field of the gzip trailer. */
const HUGE_BYTES = 4 * 1024 ** 3
const LEVEL = 6
/** RFC 1952: deflate, no flags, no time, no hint of the level, created on Unix. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
const END_OF_ARCHIVE = Buffer.alloc(1024)

/** An image with one huge layer, and the sizes of the layer. */
export type HugeImage = {
  readonly reference: string
  readonly uncompressedBytes: number
  readonly compressedBytes: number
}

/**
 * Streams a layer of real files into a registry without storing it: the files of one archive, and repeated
 * copies of the files of another archive, each copy below a directory of its own. The layer is a single gzip
 * member at level 6. Each repeated file is compressed once and ends with a flush, as the blocks of some
 * compressors do.
 */
export async function pushHugeImage(
  repository: Repository,
  onceArchive: string,
  repeatedArchive: string,
  minBytes: number = HUGE_BYTES,
): Promise<HugeImage> {
  const layer = new HugeLayer()
  const blob = await repository.uploadStream(layer.generate(onceArchive, repeatedArchive, minBytes))
  const { digest, size } = layer.uncompressedBlob()
  const reference = await pushImage(repository, [{ mediaType: OCI_LAYER_GZIP, ...blob }], [digest])
  return { reference, uncompressedBytes: size, compressedBytes: blob.size }
}

/** Generates a huge layer, and hashes its archive. */
export class HugeLayer {
  readonly #digester = new Digester()
  #crc = 0

  /** The digest and the size of the uncompressed archive. Call it after all bytes were generated. */
  uncompressedBlob(): { digest: Digest; size: number } {
    return this.#digester.finish()
  }

  /** Generates the bytes of the gzip file. */
  async *generate(onceArchive: string, repeatedArchive: string, minBytes: number): AsyncGenerator<Buffer> {
    yield GZIP_HEADER
    yield* this.#compressArchive(onceArchive)
    yield* this.#compressCopies(repeatedArchive, minBytes)
    this.#add(END_OF_ARCHIVE)
    yield deflateRawSync(END_OF_ARCHIVE)
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(this.#crc, 0)
    trailer.writeUInt32LE(this.#digester.size % 2 ** 32, 4)
    yield trailer
  }

  /** Compresses an archive without its end-of-archive mark. */
  async *#compressArchive(path: string): AsyncGenerator<Buffer> {
    const end = (await listTarPieces(path)).at(-1)?.end ?? 0
    if (end === 0) return
    const deflate = createDeflateRaw({ level: LEVEL, finishFlush: constants.Z_FULL_FLUSH })
    const archive = createReadStream(path, { end: end - 1, highWaterMark: 1024 * 1024 })
    archive.on('data', (bytes) => this.#add(bytes as Buffer))
    archive.on('error', (error) => deflate.destroy(error))
    yield* archive.pipe(deflate)
  }

  async *#compressCopies(path: string, minBytes: number): AsyncGenerator<Buffer> {
    const pieces = (await listTarPieces(path)).filter((piece) => piece.content > 0)
    const compressed = new Map<TarPiece, Buffer>()
    await using file = await open(path)
    for (let copy = 1; this.#digester.size < minBytes; copy++) {
      for (const piece of pieces) {
        const entry = await readPiece(file, piece)
        const header = moveHeader(entry.header, `./copy-${copy}/`)
        if (!header) continue
        this.#add(header)
        this.#add(entry.content)
        yield await deflateBlocks(header)
        const content = compressed.get(piece) ?? (await deflateBlocks(entry.content))
        compressed.set(piece, content)
        yield content
        if (this.#digester.size >= minBytes) return
      }
    }
  }

  #add(bytes: Buffer): void {
    this.#digester.add(bytes)
    this.#crc = crc32(bytes, this.#crc)
  }
}

/**
 * Compresses to deflate blocks without references to earlier ones. None of them is marked as the last block.
 */
function deflateBlocks(bytes: Buffer): Promise<Buffer> {
  return promisify<Buffer, object, Buffer>(deflateRaw)(bytes, {
    level: LEVEL,
    finishFlush: constants.Z_FULL_FLUSH,
  })
}
