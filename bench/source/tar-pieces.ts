import { type FileHandle, open } from 'node:fs/promises'
import { BLOCK_BYTES, readSizeField, readTypeFlag } from '../../src/tar/header.ts'

const NAME_BYTES = 100

/** Where a header of an archive and what follows it are. All in bytes. */
export type TarPiece = {
  readonly start: number
  /** Of what follows the header, with padding; 0 for all but regular files. */
  readonly content: number
  readonly end: number
}

/** All headers of an archive up to its end mark. Those that extend others, as long names do, are pieces too. */
export async function listTarPieces(path: string): Promise<TarPiece[]> {
  await using file = await open(path)
  const pieces: TarPiece[] = []
  const block = Buffer.alloc(BLOCK_BYTES)
  for (let start = 0; ; ) {
    const { bytesRead } = await file.read(block, 0, BLOCK_BYTES, start)
    if (bytesRead < BLOCK_BYTES || block.every((byte) => byte === 0)) return pieces
    const padded = Math.ceil(readSizeField(block, start) / BLOCK_BYTES) * BLOCK_BYTES
    const end = start + BLOCK_BYTES + padded
    pieces.push({ start, content: readTypeFlag(block, start) === '0' ? padded : 0, end })
    start = end
  }
}

/** Reads a piece. */
export async function readPiece(
  file: FileHandle,
  { start, end }: TarPiece,
): Promise<{ header: Buffer; content: Buffer }> {
  const bytes = Buffer.alloc(end - start)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
  if (bytesRead < bytes.length) throw new RangeError(`the archive ends at ${start + bytesRead}`)
  return { header: bytes.subarray(0, BLOCK_BYTES), content: bytes.subarray(BLOCK_BYTES) }
}

/** A header with the same name, which begins with `./`, below a folder; undefined where that is too long a name. */
export function moveHeader(header: Buffer, folder: string): Buffer | undefined {
  const length = header.indexOf(0)
  if (folder.length + length - './'.length > NAME_BYTES) return undefined
  const name = Buffer.concat([Buffer.from(folder), header.subarray('./'.length, length)])
  const copy = Buffer.from(header)
  copy.fill(0, 0, NAME_BYTES)
  name.copy(copy)
  // The sum counts its own field as spaces.
  copy.fill(' ', 148, 156)
  const sum = copy.reduce((total, byte) => total + byte, 0)
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return copy
}
