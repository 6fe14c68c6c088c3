import { ByteSource } from '../../compression/byte-source.ts'
import { decodeSource } from '../../compression/decode-layer.ts'
import { digestOf } from '../../oci/digest.ts'
import { LayerError } from '../../tar/layer-error.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import { cleanName, quoteName } from '../../tar/names.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import { firstAfter } from './first-after.ts'
import type { OpenedEStargz, RangedBlob } from './read-toc.ts'
import { verificationFailed } from './verification-failed.ts'

/** The maximum length of a chain of hard links. */
const MAX_LINKS = 40
/**
 * The maximum size of a member and of a chunk, which are held in memory. A table of contents may list larger
 * ones.
 */
const MAX_MEMBER_BYTES = 256 * 1024 * 1024

/**
 * Reads a regular file of a blob by ranges, chunk by chunk. Each chunk is checked against its digest before
 * it is yielded. Follows hard links, but not symlinks.
 * @throws LayerError NOT_FOUND, LIMIT_EXCEEDED, VERIFICATION_FAILED, CORRUPT_GZIP, CORRUPT_ZSTD; errors of
 *   `readRange` pass unchanged
 */
export async function* readFile(
  opened: OpenedEStargz,
  blob: RangedBlob,
  name: string,
): AsyncGenerator<Buffer, void, void> {
  const file = findFile(opened, name)
  if (!file.size) return
  const memberOffsets = listMemberOffsets(opened)
  let position = 0
  for (const chunk of chunksOf(opened, file)) {
    const chunkOffset = chunk.chunkOffset ?? 0
    const size = chunk.chunkSize || file.size - chunkOffset
    if (chunkOffset !== position || size <= 0 || chunkOffset + size > file.size) {
      throw verificationFailed(
        file.name,
        `has chunks that are not contiguous at byte ${position} of the file`,
      )
    }
    yield await readChunk(blob, file.name, chunk, size, memberOffsets)
    position += size
  }
  if (position !== file.size) {
    throw verificationFailed(file.name, `has ${file.size - position} bytes that are in no chunk`)
  }
}

function findFile({ entries }: OpenedEStargz, name: string): TocEntry {
  const byName = new Map<string, TocEntry>()
  for (const entry of entries) if (entry.type !== 'chunk') byName.set(cleanName(entry.name), entry)
  let entry = byName.get(cleanName(name))
  for (let links = 0; entry?.type === 'hardlink' && links < MAX_LINKS; links++) {
    entry = byName.get(cleanName(entry.linkName ?? ''))
  }
  if (entry?.type === 'reg') return entry
  throw new LayerError('NOT_FOUND', `the layer has no regular file ${quoteName(name)}`, { entry: name })
}

function chunksOf({ entries }: OpenedEStargz, file: TocEntry): TocEntry[] {
  const chunks = [file]
  for (let i = entries.indexOf(file) + 1; entries[i]?.type === 'chunk'; i++) {
    const chunk = entries[i]
    if (chunk) chunks.push(chunk)
  }
  return chunks
}

/** Returns the offsets of all content members, ascending, and an upper bound of the last one's end. */
function listMemberOffsets({ entries, membersEnd }: OpenedEStargz): number[] {
  const offsets = new Set<number>()
  for (const { offset } of entries) if (offset !== undefined) offsets.add(offset)
  return [...offsets, membersEnd].sort((a, b) => a - b)
}

async function readChunk(
  blob: RangedBlob,
  name: string,
  { offset = 0, innerOffset = 0, chunkDigest }: TocEntry,
  size: number,
  memberOffsets: readonly number[],
): Promise<Buffer> {
  const memberEnd = firstAfter(memberOffsets, offset)
  if (memberEnd === undefined) {
    throw verificationFailed(name, `has a chunk at byte ${offset} of the blob, after the last member`)
  }
  if (memberEnd - offset > MAX_MEMBER_BYTES || innerOffset + size > MAX_MEMBER_BYTES) {
    throw new LayerError(
      'LIMIT_EXCEEDED',
      `${quoteName(name)} has a chunk in a member of more than ${MAX_MEMBER_BYTES} bytes`,
      { entry: name },
    )
  }
  const member = await blob.readRange(offset, memberEnd)
  const content = await decodeRange(member, innerOffset, innerOffset + size)
  if (content.length < size) {
    const missing = size - content.length
    throw verificationFailed(
      name,
      `has a chunk at byte ${offset} of the blob that is ${missing} bytes too short`,
    )
  }
  if (chunkDigest === undefined || digestOf(content) !== chunkDigest) {
    throw verificationFailed(name, `has a chunk at byte ${offset} of the blob that does not match its digest`)
  }
  return content
}

/** Decodes a range of the uncompressed bytes of members, and no bytes after it. */
async function decodeRange(members: Buffer, start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = []
  const { maxWindowBytes } = DEFAULT_LAYER_LIMITS
  const limits = { maxUncompressedBytes: Number.POSITIVE_INFINITY, maxWindowBytes }
  let position = 0
  for await (const bytes of decodeSource(ByteSource.ofBuffer(members), { limits })) {
    const part = bytes.subarray(Math.max(0, start - position), Math.max(0, end - position))
    parts.push(Buffer.from(part))
    position += bytes.length
    if (position >= end) break
  }
  return Buffer.concat(parts)
}
