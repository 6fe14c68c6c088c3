import { z } from 'zod'
import { digestOf } from '../oci/digest.ts'
import { Digest } from '../oci/digest-schema.ts'
import { isGlobPattern } from './glob/glob.ts'
import { cleanRecordPath } from './record-path.ts'

export { RecordError } from './errors.ts'

export const MAX_RECORD_ENTRIES = 500_000
export const MAX_RECORD_GLOBS = 1000

/** Bounds on one record. Passing one raises a RecordError with the code RECORD_TOO_LARGE. */
export type RecordLimits = {
  /** Of the record as it comes, unpacked. */
  readonly maxBytes: number
  /** Different ones. */
  readonly maxEntries?: number | undefined
  readonly maxGlobs?: number | undefined
  /** Of matching the globs that leave paths out. */
  readonly maxSteps?: number | undefined
}
/** PATH_MAX of Linux. */
export const MAX_PATH_BYTES = 4096

/** The formats that records come in; docs/formats describes them. */
export const RecordFormat = z
  .enum([
    'stargz-record',
    'path-list',
    'strace',
    'fatrace',
    'fatrace-json',
    'opensnoop',
    'trace-open',
    'audit',
    'stargz-snapshotter-log',
    'nydus-list',
    'nydus-csv',
    'nydus-json',
    'nydusify',
    'soci',
    'overlaybd-list',
  ])
  .meta({ id: 'RecordFormat', description: 'The format of a record file.' })
export type RecordFormat = z.infer<typeof RecordFormat>

const Count = z.int().optional()

/** What of a profile is no entry of its record. */
export const Skipped = z
  .object({
    pseudo: Count.describe('In /proc, /sys and /dev, which no image holds.'),
    failed: Count.describe('Calls that failed.'),
    created: Count.describe('Files that the program made, or that were deleted.'),
    relative: Count.describe('Relative paths from a directory that the profile does not tell.'),
    nameless: Count.describe('Accesses without a path.'),
    encoding: Count.describe('Names that are no UTF-8.'),
    repeated: Count.describe('Further accesses of what is an entry already.'),
    outside: Count.describe('Outside of the root that was named.'),
    excluded: Count.describe('Left out, as was asked for.'),
    foreign: Count.describe('Lines that the format does not have.'),
    other: Count.describe('Other events, summaries, and lines that were cut off.'),
    relativePaths: z.array(z.string()).optional().describe('The first of the relative paths.'),
  })
  .meta({
    id: 'SkippedAccesses',
    description: 'How many accesses of a profile are no entries of the record, by the reason.',
    examples: [{ pseudo: 12, failed: 340, relative: 1, relativePaths: ['conf/app.json'] }],
  })
export type Skipped = z.infer<typeof Skipped>
export type SkipReason = Exclude<keyof Skipped, 'relativePaths'>

export const RootCut = z
  .object({ root: z.string(), paths: z.int().describe('How many accesses it was cut off of.') })
  .meta({ id: 'RootCut', description: 'The root of a container on its host, which was cut off paths.' })
export type RootCut = z.infer<typeof RootCut>

/** What whoever uploaded a profile should know of it. */
export const ProfileNotes = z.object({
  roots: z
    .array(RootCut)
    .optional()
    .describe('Roots of containers on a host that were cut off paths; the first 20.'),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      'What may be wrong with the profile: lines without a meaning, wrappers that were traced along.',
    ),
})
export type ProfileNotes = z.infer<typeof ProfileNotes>

const RecordPath = z
  .string()
  .min(1)
  .max(MAX_PATH_BYTES)
  .overwrite(cleanRecordPath)
  .refine((path) => path !== '', 'names the root directory, where a file in it is expected')
  .refine((path) => !path.includes('\0'), 'holds a NUL byte, which no file name has')
  .refine((path) => Buffer.byteLength(path) <= MAX_PATH_BYTES, `is longer than ${MAX_PATH_BYTES} bytes`)

/**
 * One recorded access. Parsing cleans the path: no leading or trailing slash, no `.` parts; `..` stays, because
 * what it means depends on symlinks. `manifestDigest` and `layerIndex` say in which layer of which image the
 * profiler saw the file. `glob` makes the path a pattern.
 */
export const RecordEntry = z
  .object({
    path: RecordPath,
    glob: z.literal(true).optional(),
    manifestDigest: Digest.optional(),
    layerIndex: z.int().nonnegative().optional(),
  })
  .refine((entry) => !entry.glob || isGlobPattern(entry.path), {
    path: ['path'],
    message: 'is no valid glob',
  })
  .meta({
    id: 'RecordEntry',
    description: 'A file that a container read; entries stand in the order of first access.',
    examples: [{ path: 'usr/bin/bash' }, { path: 'usr/lib/**/*.so', glob: true }],
  })
export type RecordEntry = z.infer<typeof RecordEntry>

/** The entries of a whole record, as a request may carry them. */
export const RecordEntries = z
  .array(RecordEntry)
  .min(1)
  .max(MAX_RECORD_ENTRIES)
  .refine(
    (entries) => entries.filter((entry) => entry.glob).length <= MAX_RECORD_GLOBS,
    `a record has at most ${MAX_RECORD_GLOBS} globs`,
  )

/**
 * The record as a stargz record file: a JSON object a line, byte for byte as upstream's recorder
 * (stargz-snapshotter `recorder/recorder.go`) writes it. Same entries, same bytes. Globs, which upstream does not
 * have, carry `"glob":true`.
 */
export function writeRecordFile(entries: readonly RecordEntry[]): string {
  return entries.map((entry) => `${goJson(canonical(entry))}\n`).join('')
}

/** With the fields in upstream's order, and only those that are there. */
function canonical({ path, manifestDigest, layerIndex, glob }: RecordEntry): RecordEntry {
  return {
    path,
    ...(manifestDigest !== undefined && { manifestDigest }),
    ...(layerIndex !== undefined && { layerIndex }),
    ...(glob && { glob }),
  }
}

/** Go's encoding/json escapes what could end a script element. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** The identity of a record: the digest of its record file. */
export function recordDigest(entries: readonly RecordEntry[]): Digest {
  return digestOf(writeRecordFile(entries))
}

/** What a path and a glob are told apart by from others. */
export function entryKey({ path, glob }: RecordEntry): string {
  return `${glob ? '*' : ''}/${path}`
}

/** How many different paths a record has; a glob counts as one. */
export function countPaths(entries: readonly RecordEntry[]): number {
  return new Set(entries.map(entryKey)).size
}
