import { ByteSource } from '../../compression/byte-source.ts'
import { decodeSource } from '../../compression/decode.ts'
import { DEFAULT_LIMITS } from '../../tar/limits.ts'
import { InterpreterScan } from './interpreter.ts'

/** Plain bytes that are decoded at the most to find a program in its member. */
const MAX_PLAIN_BYTES = 4 * 2 ** 20

/**
 * The interpreter of a program, out of the beginning of the member that it lies in.
 * @param packed which may end in the middle of the member
 * @param start of the program in the plain bytes of the member
 * @returns `''` for a program that has none; undefined where these bytes do not tell
 */
export async function interpreterInHead(packed: Buffer, start: number): Promise<string | undefined> {
  const scan = new InterpreterScan()
  let at = 0
  try {
    const limits = { maxPlainBytes: MAX_PLAIN_BYTES, maxWindowBytes: DEFAULT_LIMITS.maxWindowBytes }
    for await (const bytes of decodeSource(ByteSource.of(packed), { limits })) {
      const needsMore = scan.push(bytes.subarray(Math.max(0, start - at)))
      at += bytes.length
      if (!needsMore) break
    }
  } catch {
    // A member that is cut off ends like a damaged one; what came before may be enough.
  }
  const interpreter = scan.end()
  return scan.isMissed ? undefined : (interpreter ?? '')
}
