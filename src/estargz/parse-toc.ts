import { z } from 'zod'
import { LayerError } from './errors.ts'
import type { LayerLimits } from './limits.ts'
import type { Toc, TocEntry } from './toc.ts'

const count = z.number().int().nonnegative()

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
  xattrs: z
    .record(
      z.string(),
      z
        .string()
        .nullable()
        .transform((value) => value ?? ''),
    )
    .optional(),
  digest: z.string().optional(),
  chunkOffset: count.optional(),
  chunkSize: count.optional(),
  chunkDigest: z.string().optional(),
})

const TocSchema = z.object({ version: z.literal(1), entries: z.array(TocEntrySchema).nullable() })

/** Parses a table of contents, from bytes that were bounded already. @throws LayerError INVALID_TOC, LIMIT_EXCEEDED */
export function parseToc(json: Buffer, limits: Pick<LayerLimits, 'maxEntries' | 'maxTocBytes'>): Toc {
  if (json.length > limits.maxTocBytes) throw tocTooLarge(limits.maxTocBytes)
  let document: unknown
  try {
    document = JSON.parse(json.toString('utf8'))
  } catch (cause) {
    throw new LayerError('INVALID_TOC', 'the table of contents is not JSON', { cause })
  }
  const parsed = TocSchema.safeParse(document)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const where = issue?.path.join('.') || 'its top level'
    throw new LayerError('INVALID_TOC', `the table of contents is wrong at ${where}: ${issue?.message}`)
  }
  // zod's `optional` would admit an explicit undefined; JSON has none.
  const entries = (parsed.data.entries ?? []) as TocEntry[]
  const files = entries.reduce((sum, entry) => sum + (entry.type === 'chunk' ? 0 : 1), 0)
  if (files > limits.maxEntries) {
    throw new LayerError('LIMIT_EXCEEDED', `the table of contents has more than ${limits.maxEntries} entries`)
  }
  return { version: 1, entries }
}

export function tocTooLarge(limit: number): LayerError {
  return new LayerError('LIMIT_EXCEEDED', `the table of contents is larger than ${limit} bytes`)
}
