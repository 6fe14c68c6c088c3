import { ByteSource } from '../../compression/byte-source.ts'
import { decodeSource } from '../../compression/decode-layer.ts'
import { DEFAULT_LAYER_LIMITS } from '../../tar/layer-limits.ts'
import { InterpreterScanner } from './interpreter-scanner.ts'

/** The maximum number of uncompressed bytes decoded to reach a program in its member. */
const MAX_UNCOMPRESSED_BYTES = 4 * 2 ** 20

/**
 * Finds the interpreter of a program in the first bytes of its compressed member.
 * @param memberHead may stop in the middle of the member
 * @param programOffset the program's offset in the member's uncompressed bytes
 * @returns `''` for a program without an interpreter; undefined if more bytes are needed
 */
export async function findInterpreter(
  memberHead: Buffer,
  programOffset: number,
): Promise<string | undefined> {
  const scanner = new InterpreterScanner()
  let position = 0
  try {
    const { maxWindowBytes } = DEFAULT_LAYER_LIMITS
    const limits = { maxUncompressedBytes: MAX_UNCOMPRESSED_BYTES, maxWindowBytes }
    for await (const bytes of decodeSource(ByteSource.ofBuffer(memberHead), { limits })) {
      const needsMore = scanner.push(bytes.subarray(Math.max(0, programOffset - position)))
      position += bytes.length
      if (!needsMore) break
    }
  } catch {
    // A truncated member fails like a damaged one. The bytes decoded before may be enough.
  }
  const interpreter = scanner.finish()
  return scanner.isInconclusive ? undefined : (interpreter ?? '')
}
