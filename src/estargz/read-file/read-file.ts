import { ByteSource } from '../../compression/byte-source.ts'
import { decodeSource } from '../../compression/decode.ts'
import { digestOf } from '../../oci/digest.ts'
import { LayerError } from '../../tar/errors.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import { cleanName, quote } from '../../tar/names.ts'
import type { OpenedEStargz, RangedBlob } from '../toc/read-toc.ts'
import type { TocEntry } from '../toc/write-toc.ts'
import { failed } from './file-chunks.ts'

/** Links that lead from one name to the next before a read gives up. */
const MAX_LINKS = 40
/** A chunk is held in memory while it is verified: the table of contents is not believed when it asks for more. */
const MAX_MEMBER_BYTES = 256 * 1024 * 1024

/**
 * Reads one regular file of a blob by ranges, chunk by chunk, each checked against its digest before it is handed on.
 * Hard links lead to their file; symlinks are not followed.
 * @throws LayerError NOT_FOUND, LIMIT_EXCEEDED, VERIFICATION_FAILED, CORRUPT_GZIP, CORRUPT_ZSTD; errors of `readRange` pass unchanged
 */
export async function* readFile(
  opened: OpenedEStargz,
  blob: RangedBlob,
  name: string,
): AsyncGenerator<Buffer, void, void> {
  const file = findFile(opened, name)
  if (!file.size) return
  const starts = memberStarts(opened)
  let covered = 0
  for (const chunk of chunksOf(opened, file)) {
    const at = chunk.chunkOffset ?? 0
    const size = chunk.chunkSize || file.size - at
    if (at !== covered || size <= 0 || at + size > file.size) {
      throw failed(file.name, `has chunks that do not follow each other at its byte ${covered}`)
    }
    yield await readChunk(blob, file.name, chunk, size, starts)
    covered += size
  }
  if (covered !== file.size) throw failed(file.name, `has ${file.size - covered} bytes in no chunk`)
}

function findFile({ entries }: OpenedEStargz, name: string): TocEntry {
  const byName = new Map<string, TocEntry>()
  for (const entry of entries) if (entry.type !== 'chunk') byName.set(cleanName(entry.name), entry)
  let entry = byName.get(cleanName(name))
  for (let links = 0; entry?.type === 'hardlink' && links < MAX_LINKS; links++) {
    entry = byName.get(cleanName(entry.linkName ?? ''))
  }
  if (entry?.type === 'reg') return entry
  throw new LayerError('NOT_FOUND', `the layer has no regular file ${quote(name)}`, { entry: name })
}

function chunksOf({ entries }: OpenedEStargz, file: TocEntry): TocEntry[] {
  const chunks = [file]
  for (let i = entries.indexOf(file) + 1; entries[i]?.type === 'chunk'; i++) {
    const chunk = entries[i]
    if (chunk) chunks.push(chunk)
  }
  return chunks
}

/** Where members of content begin, rising, and where the last of them ends at the latest. */
function memberStarts({ entries, membersEnd }: OpenedEStargz): number[] {
  const starts = new Set<number>()
  for (const { offset } of entries) if (offset !== undefined) starts.add(offset)
  return [...starts, membersEnd].sort((a, b) => a - b)
}

async function readChunk(
  blob: RangedBlob,
  name: string,
  { offset = 0, innerOffset = 0, chunkDigest }: TocEntry,
  size: number,
  starts: readonly number[],
): Promise<Buffer> {
  const end = starts[after(starts, offset)]
  if (end === undefined) throw failed(name, `has a chunk at byte ${offset}, behind the last member`)
  if (end - offset > MAX_MEMBER_BYTES || innerOffset + size > MAX_MEMBER_BYTES) {
    throw new LayerError(
      'LIMIT_EXCEEDED',
      `${quote(name)} has a chunk of more than ${MAX_MEMBER_BYTES} bytes`,
      {
        entry: name,
      },
    )
  }
  const packed = await blob.readRange(offset, end)
  const content = await plainRange(packed, innerOffset, innerOffset + size)
  if (content.length < size)
    throw failed(name, `has ${size - content.length} bytes less than it should at byte ${offset}`)
  if (chunkDigest === undefined || digestOf(content) !== chunkDigest) {
    throw failed(name, `has a chunk at byte ${offset} that does not match its digest`)
  }
  return content
}

/** The place of the first start that is larger. */
function after(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] ?? 0) > offset) high = middle
    else low = middle + 1
  }
  return low
}

/** Some of the plain bytes of members, which are decoded no further than needed. */
async function plainRange(packed: Buffer, start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let position = 0
  for await (const bytes of decodeSource(ByteSource.of(packed), {
    limits: { maxPlainBytes: Number.POSITIVE_INFINITY, maxWindowBytes: DEFAULT_LIMITS.maxWindowBytes },
  })) {
    const part = bytes.subarray(Math.max(0, start - position), Math.max(0, end - position))
    parts.push(Buffer.from(part))
    position += bytes.length
    if (position >= end) break
  }
  return Buffer.concat(parts)
}
