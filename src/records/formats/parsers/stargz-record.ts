import { RecordError } from '../../errors.ts'
import { RecordEntry } from '../../model.ts'
import { cleanRecordPath } from '../../record-path.ts'
import { parseJsonObject, requireJsonObject } from './json-line.ts'
import { EMPTY_LINE, type LineFormat, type ParsedLine } from './parsed-line.ts'

const FIELDS: ReadonlySet<string> = new Set(['path', 'manifestDigest', 'layerIndex', 'glob'])

/**
 * Parses a line of a stargz record file: a JSON object with `path`, and with `manifestDigest` and
 * `layerIndex` if the profiler knew them (stargz-snapshotter `recorder/recorder.go`). Upstream writes paths
 * without a leading slash; other writers add one. Unknown fields are ignored.
 * @throws RecordError INVALID_RECORD
 */
function parseLine(text: string): ParsedLine {
  const { path, manifestDigest, layerIndex, glob } = requireJsonObject(text)
  if (typeof path === 'string' && path !== '' && cleanRecordPath(path) === '') return EMPTY_LINE
  const parsed = RecordEntry.safeParse({
    path,
    manifestDigest: withoutZeroValue(manifestDigest),
    layerIndex: withoutZeroValue(layerIndex),
    glob: glob === false ? undefined : withoutZeroValue(glob),
  })
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new RecordError('INVALID_RECORD', `${issue?.path.join('.') || 'entry'}: ${issue?.message}`)
  }
  const entry = parsed.data
  return {
    kind: 'entry',
    entry: {
      path: entry.path,
      ...(entry.glob && { glob: true }),
      ...(entry.manifestDigest !== undefined && { manifestDigest: entry.manifestDigest }),
      ...(entry.layerIndex !== undefined && { layerIndex: entry.layerIndex }),
    },
  }
}

/** Some writers spell out the zero values that Go's `omitempty` omits. */
function withoutZeroValue(value: unknown): unknown {
  return value === null || value === '' ? undefined : value
}

/** An object with a path is distinctive only without foreign fields: logs of web servers have paths, too. */
export const stargzRecord: LineFormat = {
  isLog: false,
  createParser: () => parseLine,
  isDistinctive: (text) => {
    const object = parseJsonObject(text)
    if (typeof object?.path !== 'string') return false
    const { manifestDigest, layerIndex } = object
    return (
      manifestDigest !== undefined ||
      layerIndex !== undefined ||
      Object.keys(object).every((name) => FIELDS.has(name))
    )
  },
}
