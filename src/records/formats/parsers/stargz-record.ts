import { RecordEntry, RecordError } from '../../model.ts'
import { cleanRecordPath } from '../../record-path.ts'
import { jsonObject, objectOf } from './json-line.ts'
import type { Found, LineFormat } from './parsed-line.ts'

const FIELDS: ReadonlySet<string> = new Set(['path', 'manifestDigest', 'layerIndex', 'glob'])

/**
 * Reads a line of a stargz record file: a JSON object with `path`, and with `manifestDigest` and `layerIndex`
 * where the profiler knew them (stargz-snapshotter `recorder/recorder.go`; no leading slash there, but other
 * writers have one). Fields that are not known are passed over, and so is the root directory.
 * @throws RecordError INVALID_RECORD
 */
function readStargzRecordLine(text: string): Found {
  const { path, manifestDigest, layerIndex, glob } = jsonObject(text)
  if (typeof path === 'string' && path !== '' && cleanRecordPath(path) === '') return undefined
  const parsed = RecordEntry.safeParse({
    path,
    manifestDigest: present(manifestDigest),
    layerIndex: present(layerIndex),
    glob: glob === false ? undefined : present(glob),
  })
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new RecordError('INVALID_RECORD', `${issue?.path.join('.') || 'entry'}: ${issue?.message}`)
  }
  const entry = parsed.data
  return {
    entry: {
      path: entry.path,
      ...(entry.glob && { glob: true }),
      ...(entry.manifestDigest !== undefined && { manifestDigest: entry.manifestDigest }),
      ...(entry.layerIndex !== undefined && { layerIndex: entry.layerIndex }),
    },
  }
}

/** Go's zero values: what `omitempty` leaves out, some writers spell out. */
function present(value: unknown): unknown {
  return value === null || value === '' ? undefined : value
}

/** A path alone is shown by much else that is JSON, such as logs of web servers. */
export const stargzRecord: LineFormat = {
  isLog: false,
  reader: () => readStargzRecordLine,
  proves: (text) => {
    const object = objectOf(text)
    if (typeof object?.path !== 'string') return false
    const { manifestDigest, layerIndex } = object
    return (
      manifestDigest !== undefined ||
      layerIndex !== undefined ||
      Object.keys(object).every((name) => FIELDS.has(name))
    )
  },
}
