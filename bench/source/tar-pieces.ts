import { type FileHandle, open } from 'node:fs/promises'
import { BLOCK_BYTES, readSizeField, readTypeFlag } from '../../src/tar/header.ts'

const NAME_BYTES = 100

/** A header of an archive and the content after it. Offsets and sizes are in bytes. */
export type TarPiece = {
  readonly start: number
  /** The size of the content with its padding; 0 unless the entry is a regular file. */
  readonly content: number
  readonly end: number
}

/**
 * Lists the headers of an archive up to its end-of-archive mark, including extension headers such as long
 * names.
 */
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

/** @throws RangeError if the archive is truncated */
export async function readPiece(
  file: FileHandle,
  { start, end }: TarPiece,
): Promise<{ header: Buffer; content: Buffer }> {
  const bytes = Buffer.alloc(end - start)
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
  if (bytesRead < bytes.length) throw new RangeError(`the archive ends at ${start + bytesRead}`)
  return { header: bytes.subarray(0, BLOCK_BYTES), content: bytes.subarray(BLOCK_BYTES) }
}

/**
 * Moves a header, whose name starts with `./`, to a directory. Returns undefined if the new name is too long.
 */
export function moveHeader(header: Buffer, directory: string): Buffer | undefined {
  const length = header.indexOf(0)
  if (directory.length + length - './'.length > NAME_BYTES) return undefined
  const name = Buffer.concat([Buffer.from(directory), header.subarray('./'.length, length)])
  const copy = Buffer.from(header)
  copy.fill(0, 0, NAME_BYTES)
  name.copy(copy)
  // The checksum is computed with spaces in its own field.
  copy.fill(' ', 148, 156)
  const sum = copy.reduce((total, byte) => total + byte, 0)
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return copy
}
