import { RecordEntry, RecordError } from '../model.ts'
import { cleanRecordPath } from '../record-path.ts'
import type { Found } from './found.ts'

/**
 * Reads a line of a stargz record file: a JSON object with `path`, and with `manifestDigest` and `layerIndex`
 * where the profiler knew them (stargz-snapshotter `recorder/recorder.go`; no leading slash there, but other
 * writers have one). Fields that are not known are passed over, and so is the root directory.
 * @throws RecordError INVALID_RECORD
 */
export function readStargzRecordLine(text: string): Found {
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

/** The JSON object that a line is. @throws RecordError INVALID_RECORD */
export function jsonObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new RecordError('INVALID_RECORD', `not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RecordError('INVALID_RECORD', 'expected a JSON object with a path')
  }
  return value as Record<string, unknown>
}

/** Go's zero values: what `omitempty` leaves out, some writers spell out. */
function present(value: unknown): unknown {
  return value === null || value === '' ? undefined : value
}
