import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, crc32, createDeflateRaw, deflateRaw, deflateRawSync } from 'node:zlib'
import { Digester } from '../../src/bytes/digester.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { OCI_LAYER_GZIP } from '../../src/oci/media-types.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { pushImage } from './source-image.ts'
import { readPiece, moveHeader, type TarPiece, listTarPieces } from './tar-pieces.ts'

/** Plain bytes that a huge layer has at least: more than its gzip trailer can say. */
const HUGE_BYTES = 4 * 1024 ** 3
const LEVEL = 6
/** RFC 1952: deflate, no flags, no time, no hint of the level, made on Unix. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])
const END_MARK = Buffer.alloc(1024)

/** An image of one huge layer. Sizes are those of the layer. */
export type HugeImage = { readonly reference: string; readonly uncompressedBytes: number; readonly compressedBytes: number }

/**
 * Streams a layer of real files into a registry: those of one archive, then those of another again and again, each
 * time below another folder. Nothing of it is kept. It is one gzip member at level 6; what is repeated is packed
 * once, and ends with a flush, as some packers do between their blocks.
 */
export async function pushHugeImage(
  repository: Repository,
  once: string,
  repeated: string,
  atLeast: number = HUGE_BYTES,
): Promise<HugeImage> {
  const layer = new HugeLayer()
  const blob = await repository.uploadStream(layer.generate(once, repeated, atLeast))
  const { digest, size } = layer.uncompressedBlob()
  const reference = await pushImage(repository, [{ mediaType: OCI_LAYER_GZIP, ...blob }], [digest])
  return { reference, uncompressedBytes: size, compressedBytes: blob.size }
}

/** The bytes of a huge layer, hashed in passing. */
export class HugeLayer {
  readonly #tally = new Digester()
  #crc = 0

  /** Digest and size of the archive, when all its bytes have been read. */
  uncompressedBlob(): { digest: Digest; size: number } {
    return this.#tally.finish()
  }

  /** The gzip file. */
  async *generate(once: string, repeated: string, atLeast: number): AsyncGenerator<Buffer> {
    yield GZIP_HEADER
    yield* this.#whole(once)
    yield* this.#copies(repeated, atLeast)
    this.#add(END_MARK)
    yield deflateRawSync(END_MARK)
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(this.#crc, 0)
    trailer.writeUInt32LE(this.#tally.size % 2 ** 32, 4)
    yield trailer
  }

  /** An archive as it is, without its end mark. */
  async *#whole(path: string): AsyncGenerator<Buffer> {
    const end = (await listTarPieces(path)).at(-1)?.end ?? 0
    if (end === 0) return
    const deflate = createDeflateRaw({ level: LEVEL, finishFlush: constants.Z_FULL_FLUSH })
    const plain = createReadStream(path, { end: end - 1, highWaterMark: 1024 * 1024 })
    plain.on('data', (bytes) => this.#add(bytes as Buffer))
    plain.on('error', (error) => deflate.destroy(error))
    yield* plain.pipe(deflate)
  }

  async *#copies(path: string, atLeast: number): AsyncGenerator<Buffer> {
    const pieces = (await listTarPieces(path)).filter((piece) => piece.content > 0)
    const packed = new Map<TarPiece, Buffer>()
    await using file = await open(path)
    for (let copy = 1; this.#tally.size < atLeast; copy++) {
      for (const piece of pieces) {
        const entry = await readPiece(file, piece)
        const header = moveHeader(entry.header, `./copy-${copy}/`)
        if (!header) continue
        this.#add(header)
        this.#add(entry.content)
        yield await deflated(header)
        const content = packed.get(piece) ?? (await deflated(entry.content))
        packed.set(piece, content)
        yield content
        if (this.#tally.size >= atLeast) return
      }
    }
  }

  #add(bytes: Buffer): void {
    this.#tally.add(bytes)
    this.#crc = crc32(bytes, this.#crc)
  }
}

/** Blocks of deflate that stand alone, none of them the last. */
function deflated(bytes: Buffer): Promise<Buffer> {
  return promisify<Buffer, object, Buffer>(deflateRaw)(bytes, {
    level: LEVEL,
    finishFlush: constants.Z_FULL_FLUSH,
  })
}
