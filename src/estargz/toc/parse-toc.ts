import { z } from 'zod'
import { LayerError } from '../../tar/errors.ts'
import { type LayerLimits, limitExceeded, tocTooLarge } from '../../tar/limits.ts'
import { jsonItems } from './json-items.ts'
import type { TocEntry, TocFile } from './write-toc.ts'

const count = z.number().int().nonnegative()

/** Values in base64; null stands for an empty one. A record of zod would leave `__proto__` out, which is a name like any other. */
const Xattrs = z
  .custom<Record<string, string | null>>(isTextByName, 'not texts by name')
  .transform(
    (xattrs): Record<string, string> =>
      Object.fromEntries(Object.entries(xattrs).map(([key, value]) => [key, value ?? ''])),
  )

const TocEntrySchema = z.object({
  name: z.string(),
  type: z.enum(['reg', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo', 'chunk']),
  size: count.optional(),
  modtime: z.string().optional(),
  linkName: z.string().optional(),
  mode: z.number().int().optional(),
  uid: z.number().int().optional(),
  gid: z.number().int().optional(),
  userName: z.string().optional(),
  groupName: z.string().optional(),
  offset: count.optional(),
  innerOffset: count.optional(),
  endOffset: count.optional(),
  devMajor: z.number().int().optional(),
  devMinor: z.number().int().optional(),
  xattrs: Xattrs.optional(),
  digest: z.string().optional(),
  chunkOffset: count.optional(),
  chunkSize: count.optional(),
  chunkDigest: z.string().optional(),
})

const AroundSchema = z.object({ version: z.literal(1), entries: z.array(z.never()).nullable() })

type Limits = Pick<LayerLimits, 'maxEntries' | 'maxHeaderBytes' | 'maxTocBytes'>

/**
 * The entries of a table of contents, one after the other: as objects, all of them are many times the memory of the file.
 * What is around them is checked at its end.
 * @throws LayerError INVALID_TOC, LIMIT_EXCEEDED
 */
export function* readTocEntries(toc: TocFile, limits: Limits): Generator<TocEntry, void, void> {
  if (toc.size > limits.maxTocBytes) throw tocTooLarge(limits)
  // Escapes and base64 make extended attributes longer than they are in a header.
  const items = jsonItems(toc.parts(), { key: 'entries', mostBytes: 8 * limits.maxHeaderBytes })
  for (let i = 0; ; i++) {
    const item = json(() => items.next())
    if (item.done) {
      checked(AroundSchema, [], item.value)
      return
    }
    // Before it is parsed: a chunk costs as much as an entry.
    if (i >= limits.maxEntries) {
      const what = 'the table of contents has too many entries, chunks of files included'
      throw limitExceeded(limits, 'maxEntries', what)
    }
    const entry = checked(TocEntrySchema, ['entries', i], item.value)
    // zod's `optional` would admit an explicit undefined; JSON has none.
    yield entry as TocEntry
  }
}

function isTextByName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((text) => text === null || typeof text === 'string')
}

function checked<Schema extends z.ZodType>(
  schema: Schema,
  place: readonly (string | number)[],
  text: string,
): z.output<Schema> {
  const parsed = schema.safeParse(json(() => JSON.parse(text)))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = [...place, ...(issue?.path ?? [])].join('.') || 'its top level'
  throw new LayerError('INVALID_TOC', `the table of contents is wrong at ${where}: ${issue?.message}`)
}

function json<Result>(parse: () => Result): Result {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new LayerError('INVALID_TOC', 'the table of contents is not JSON', { cause })
  }
}
