import { Tally } from '../bytes/tally.ts'
import type { Digest } from '../oci/digest.ts'
import { ByteSource } from './byte-source.ts'
import { LayerError } from './errors.ts'
import { tocOffsetOf } from './footer.ts'
import { gzipMembers } from './gzip-members.ts'
import type { LayerLimits } from './limits.ts'
import { readLandmark } from './read.ts'
import { TarScanner } from './tar-scan.ts'
import { parseToc } from './toc.ts'
import { ContentRecorder } from './verify-content.ts'
import { checkToc } from './verify-toc.ts'

/** What a verified blob holds. Sizes are bytes. */
export type VerifiedBlob = {
  /** Of the blob as it was read. */
  digest: Digest
  size: number
  diffId: Digest
  uncompressedSize: number
  tocDigest: Digest
  /** Names listed in the table of contents, landmark included. */
  entries: number
  /** Chunks whose digests were checked. */
  chunks: number
  landmark: 'prefetch' | 'no-prefetch' | undefined
  prioritized: string[]
}

/**
 * Verifies an eStargz blob in one pass over it: gzip checksums, the footer, the digest of the table of
 * contents, that it lists the archive's entries with the metadata they have, that each chunk begins where it
 * says and matches its digest, each file's digest, and the diffID.
 * @throws LayerError VERIFICATION_FAILED and the codes of what it reads; errors of the source pass unchanged
 */
export async function verifyEStargzBlob(
  source: AsyncIterable<Uint8Array>,
  o: { limits: LayerLimits; tocDigest?: string; diffId?: string },
): Promise<VerifiedBlob> {
  const blob = new Tally()
  const input = new ByteSource(tallied(source, blob))
  const plain = new Tally()
  const scanner = new TarScanner(o.limits)
  const recorder = new ContentRecorder(o.limits)
  let footer: { tocOffset: number | undefined; plainBytes: number } = { tocOffset: undefined, plainBytes: 0 }
  try {
    for await (const event of gzipMembers(input)) {
      if (event.kind === 'member') {
        recorder.beginMember(event.offset)
        footer = { tocOffset: event.header.extra && tocOffsetOf(event.header.extra), plainBytes: 0 }
      } else if (event.kind === 'bytes') {
        plain.add(event.bytes)
        if (plain.size > o.limits.maxPlainBytes) {
          throw new LayerError(
            'LIMIT_EXCEEDED',
            `the blob holds more than ${o.limits.maxPlainBytes} plain bytes`,
          )
        }
        footer.plainBytes += event.bytes.length
        recorder.beginPiece(event.bytes)
        for (const found of scanner.push(event.bytes)) recorder.take(found)
      }
    }
    for (const found of scanner.end()) recorder.take(found)
  } finally {
    await input.close()
  }
  const { toc: found, files } = recorder.finish()
  if (footer.tocOffset === undefined || footer.plainBytes > 0 || !found) {
    throw new LayerError(
      'NOT_ESTARGZ',
      'the blob does not end with a table of contents and an eStargz footer',
    )
  }
  if (found.memberOffset !== footer.tocOffset) {
    throw new LayerError(
      'VERIFICATION_FAILED',
      `the footer points at byte ${footer.tocOffset}, the table of contents is at ${found.memberOffset}`,
    )
  }
  expectDigest('the table of contents', found.digest, o.tocDigest)
  const total = plain.finish()
  expectDigest('the decompressed layer', total.digest, o.diffId)
  const toc = parseToc(found.json, o.limits)
  const { landmark, prioritized } = readLandmark(toc)
  return {
    ...blob.finish(),
    diffId: total.digest,
    uncompressedSize: total.size,
    tocDigest: found.digest,
    ...checkToc(toc, files),
    landmark,
    prioritized,
  }
}

function expectDigest(what: string, got: Digest, expected: string | undefined): void {
  if (expected === undefined || got === expected) return
  throw new LayerError('VERIFICATION_FAILED', `${what} has the digest ${got} where ${expected} was promised`)
}

async function* tallied(source: AsyncIterable<Uint8Array>, tally: Tally): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    tally.add(piece)
    yield piece
  }
}
