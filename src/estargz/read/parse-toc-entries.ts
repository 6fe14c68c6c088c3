import { z } from 'zod'
import { LayerError } from '../../tar/layer-error.ts'
import { type LayerLimits, limitExceededError, tocTooLargeError } from '../../tar/layer-limits.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import type { TocFile } from '../toc/toc-file.ts'
import { splitJsonArray } from './split-json-array.ts'

const nonNegativeInteger = z.number().int().nonnegative()

/**
 * Values in base64; null means empty. Not `z.record`, which would drop `__proto__`, an ordinary name here.
 */
const XattrsSchema = z
  .custom<Record<string, string | null>>(isStringRecord, 'not an object of strings')
  .transform(
    (xattrs): Record<string, string> =>
      Object.fromEntries(Object.entries(xattrs).map(([key, value]) => [key, value ?? ''])),
  )

const TocEntrySchema = z.object({
  name: z.string(),
  type: z.enum(['reg', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo', 'chunk']),
  size: nonNegativeInteger.optional(),
  modtime: z.string().optional(),
  linkName: z.string().optional(),
  mode: z.number().int().optional(),
  uid: z.number().int().optional(),
  gid: z.number().int().optional(),
  userName: z.string().optional(),
  groupName: z.string().optional(),
  offset: nonNegativeInteger.optional(),
  innerOffset: nonNegativeInteger.optional(),
  endOffset: nonNegativeInteger.optional(),
  devMajor: z.number().int().optional(),
  devMinor: z.number().int().optional(),
  xattrs: XattrsSchema.optional(),
  digest: z.string().optional(),
  chunkOffset: nonNegativeInteger.optional(),
  chunkSize: nonNegativeInteger.optional(),
  chunkDigest: z.string().optional(),
})

/** The table of contents without its entries. */
const TocSchema = z.object({
  version: z.literal(1),
  entries: z.array(z.never()).nullable(),
  tarSplitDigest: z.string().optional(),
})

/** The members of a table of contents besides its entries. */
export type TocMembers = {
  /** zstd:chunked only: the digest of the compressed tar-split data (containers/storage 1.59). */
  readonly tarSplitDigest?: string | undefined
}

type TocLimits = Pick<LayerLimits, 'maxEntries' | 'maxHeaderBytes' | 'maxTocBytes'>

/**
 * Yields the entries of a table of contents one by one: all of them as objects take many times the memory of
 * the file. The document around the entries is checked after the last entry.
 * @returns the other members
 * @throws LayerError INVALID_TOC, LIMIT_EXCEEDED
 */
export function* parseTocEntries(toc: TocFile, limits: TocLimits): Generator<TocEntry, TocMembers, void> {
  if (toc.size > limits.maxTocBytes) throw tocTooLargeError(limits)
  // Escapes and base64 make extended attributes longer than in a tar header.
  const items = splitJsonArray(toc.parts(), { key: 'entries', maxItemBytes: 8 * limits.maxHeaderBytes })
  for (let i = 0; ; i++) {
    const item = wrapSyntaxErrors(() => items.next())
    if (item.done) {
      const { tarSplitDigest } = parse(TocSchema, [], item.value)
      return { tarSplitDigest }
    }
    // Checked before parsing. Chunks count, because they cost as much as entries.
    if (i >= limits.maxEntries) {
      const problem = 'the table of contents has too many entries, chunks of files included'
      throw limitExceededError(limits, 'maxEntries', problem)
    }
    const entry = parse(TocEntrySchema, ['entries', i], item.value)
    // The type of zod's `optional` includes undefined, which JSON cannot contain.
    yield entry as TocEntry
  }
}

function isStringRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((text) => text === null || typeof text === 'string')
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  path: readonly (string | number)[],
  text: string,
): z.output<Schema> {
  const parsed = schema.safeParse(wrapSyntaxErrors(() => JSON.parse(text)))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const location = [...path, ...(issue?.path ?? [])].join('.') || 'its top level'
  throw new LayerError('INVALID_TOC', `the table of contents is invalid at ${location}: ${issue?.message}`)
}

function wrapSyntaxErrors<Result>(parseJson: () => Result): Result {
  try {
    return parseJson()
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new LayerError('INVALID_TOC', 'the table of contents is not valid JSON', { cause })
  }
}
