import { z } from 'zod'
import { DIGEST_PATTERN, type Digest as DigestType } from './digest.ts'

/** The schema of a digest. */
export const Digest = z
  .string()
  .regex(DIGEST_PATTERN, 'a digest consists of sha256: and 64 lower-case hex digits')
  .brand<'Digest'>()
export type Digest = DigestType
