import { z } from 'zod'
import { digestOf } from '../oci/digest.ts'
import { Digest } from '../oci/digest-schema.ts'
import { isGlobPattern } from './glob/glob.ts'
import { cleanRecordPath } from './record-path.ts'

export const MAX_RECORD_ENTRIES = 500_000
export const MAX_RECORD_GLOBS = 1000

/**
 * Bounds on one record. A record that exceeds one is rejected with a RecordError RECORD_TOO_LARGE or
 * GLOBS_TOO_COSTLY.
 */
export type RecordLimits = {
  /** Bytes of the uploaded record, decompressed. */
  readonly maxBytes: number
  /** Distinct entries. */
  readonly maxEntries?: number | undefined
  /** Distinct globs. */
  readonly maxGlobs?: number | undefined
  /** Steps to match the globs of excluded paths. */
  readonly maxSteps?: number | undefined
}
/** PATH_MAX of Linux. */
export const MAX_PATH_BYTES = 4096

/**
 * The formats of uploaded records, described in docs/formats.md. To add one, see formats/format-registry.ts.
 */
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

/** The accesses of a profile that did not become entries, counted by reason. */
export const SkippedAccesses = z
  .object({
    pseudo: Count.describe('Paths in /proc, /sys and /dev, which no image contains.'),
    failed: Count.describe('Calls that failed.'),
    created: Count.describe('Files that the program created, or that were deleted.'),
    relative: Count.describe('Relative paths whose directory the profile does not show.'),
    nameless: Count.describe('Accesses without a path.'),
    encoding: Count.describe('Names that are not UTF-8.'),
    repeated: Count.describe('Repeated accesses of an entry.'),
    outside: Count.describe('Paths outside of the named root.'),
    excluded: Count.describe('Paths that the upload excluded.'),
    foreign: Count.describe('Lines that do not belong to the format.'),
    other: Count.describe('Other events, summaries, and truncated lines.'),
    relativePaths: z.array(z.string()).optional().describe('The first skipped relative paths.'),
  })
  .meta({
    id: 'SkippedAccesses',
    description: 'The number of accesses of a profile that did not become entries of the record, by reason.',
    examples: [{ pseudo: 12, failed: 340, relative: 1, relativePaths: ['conf/app.json'] }],
  })
export type SkippedAccesses = z.infer<typeof SkippedAccesses>
export type SkipReason = Exclude<keyof SkippedAccesses, 'relativePaths'>

export const RemovedRoot = z
  .object({
    root: z.string(),
    pathCount: z.int().describe('The number of accesses whose path was below this root.'),
  })
  .meta({
    id: 'RemovedRoot',
    description: 'The root of a container on its host, which was removed from paths.',
  })
export type RemovedRoot = z.infer<typeof RemovedRoot>

/** Notes for the uploader of a profile. */
export const ProfileNotes = z.object({
  roots: z
    .array(RemovedRoot)
    .optional()
    .describe('The first 20 roots of containers on the host that were removed from paths.'),
  warnings: z
    .array(z.string())
    .optional()
    .describe(
      'Possible problems of the profile, such as foreign lines, and wrappers that were traced together with the program.',
    ),
})
export type ProfileNotes = z.infer<typeof ProfileNotes>

const PATH_TOO_LONG = `is longer than ${MAX_PATH_BYTES} bytes`

const RecordPath = z
  .string()
  .min(1)
  .max(MAX_PATH_BYTES, PATH_TOO_LONG)
  .overwrite(cleanRecordPath)
  .refine((path) => path !== '', 'is the root directory, but has to be below it')
  .refine((path) => !path.includes('\0'), 'contains a NUL byte, which is not allowed in a file name')
  .refine((path) => Buffer.byteLength(path) <= MAX_PATH_BYTES, PATH_TOO_LONG)

/**
 * One recorded access. Parsing normalizes the path: no leading or trailing slash, no `.` parts; `..` stays,
 * because its meaning depends on symlinks. `manifestDigest` and `layerIndex` name the image and the layer in
 * which the profiler saw the file. With `glob`, the path is a pattern.
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
    message: 'is not a valid glob',
  })
  .meta({
    id: 'RecordEntry',
    description: 'A file that a container read. Entries are in the order of first access.',
    examples: [{ path: 'usr/bin/bash' }, { path: 'usr/lib/**/*.so', glob: true }],
  })
export type RecordEntry = z.infer<typeof RecordEntry>

/** The entries of a record in a request. */
export const RecordEntries = z
  .array(RecordEntry)
  .min(1)
  .max(MAX_RECORD_ENTRIES)
  .refine(
    (entries) => entries.filter((entry) => entry.glob).length <= MAX_RECORD_GLOBS,
    `a record has at most ${MAX_RECORD_GLOBS} globs`,
  )

/**
 * Writes a stargz record file: one JSON object per line, byte for byte as upstream's recorder writes it
 * (stargz-snapshotter `recorder/recorder.go`). The same entries have the same bytes. Globs, which upstream
 * does not have, have `"glob":true`.
 */
export function writeRecordFile(entries: readonly RecordEntry[]): string {
  return entries.map((entry) => `${toGoJson(withUpstreamFields(entry))}\n`).join('')
}

/** Orders the fields as upstream does, without undefined ones. */
function withUpstreamFields({ path, manifestDigest, layerIndex, glob }: RecordEntry): RecordEntry {
  return {
    path,
    ...(manifestDigest !== undefined && { manifestDigest }),
    ...(layerIndex !== undefined && { layerIndex }),
    ...(glob && { glob }),
  }
}

/** Escapes the characters that Go's encoding/json escapes because they could end an HTML script element. */
function toGoJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Returns the digest of the record file, which identifies the record. */
export function recordDigest(entries: readonly RecordEntry[]): Digest {
  return digestOf(writeRecordFile(entries))
}

/** Returns a key that identifies a path or a glob. */
export function entryKey({ path, glob }: RecordEntry): string {
  return `${glob ? '*' : ''}/${path}`
}

/** Counts distinct paths; a glob counts as one. */
export function countPaths(entries: readonly RecordEntry[]): number {
  return new Set(entries.map(entryKey)).size
}
