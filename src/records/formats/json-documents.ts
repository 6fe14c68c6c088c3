import { RecordError } from '../errors.ts'
import { parsePath } from './parsers/parsed-line.ts'
import type { RecordCollector } from './record-collector.ts'

/** Formats that are one JSON document instead of lines. */
export type DocumentFormat = 'soci' | 'nydusify'

/** Nydus writes access traces that look like these lists but do not name files. */
const NYDUS_TRACE =
  "nydus' access trace contains blobs and inodes, not paths: upload the list of nydus-snapshotter's optimizer instead"

/**
 * Reads a record that is one JSON document.
 * @throws RecordError INVALID_RECORD with the line; UNKNOWN_FORMAT for an access trace of nydus
 */
export function readJsonDocument(format: DocumentFormat, bytes: Buffer, collector: RecordCollector): void {
  const document = new JsonDocument(decodeMarked(bytes), collector)
  if (format === 'soci') document.readSoci()
  else document.readNydusify()
}

const REPLACEMENT = '\ufffd'
/**
 * Replaces U+FFFD characters of the document, so that any U+FFFD shows bytes that are not UTF-8. A
 * noncharacter.
 */
const REPLACEMENT_MARKER = '\ufdd1'

/**
 * Decodes UTF-8 so that {@link unmarked} can distinguish the document's U+FFFD characters from malformed
 * bytes.
 */
function decodeMarked(bytes: Buffer): string {
  const replacement = Buffer.from(REPLACEMENT).toString('latin1')
  const marker = Buffer.from(REPLACEMENT_MARKER).toString('latin1')
  const hasReplacement = bytes.includes(replacement, 0, 'latin1')
  const marked = hasReplacement
    ? Buffer.from(bytes.toString('latin1').replaceAll(replacement, marker), 'latin1')
    : bytes
  return new TextDecoder('utf-8').decode(marked)
}

/** Restores the original text of a path; undefined if it is not UTF-8. */
function unmarked(path: string): string | undefined {
  if (path.includes(REPLACEMENT) || !path.isWellFormed()) return undefined
  return path.replaceAll(REPLACEMENT_MARKER, REPLACEMENT)
}

class JsonDocument {
  readonly #text: string
  readonly #collector: RecordCollector

  constructor(text: string, collector: RecordCollector) {
    this.#text = text
    this.#collector = collector
  }

  /** Reads the list of SOCI's `--prefetch-files-json`: a JSON array of paths. */
  readSoci(): void {
    const list = this.#parse()
    if (!Array.isArray(list)) throw new RecordError('INVALID_RECORD', 'expected a JSON array of paths')
    if (hasFields(list[0], 'ino', 'nr_read')) throw new RecordError('UNKNOWN_FORMAT', NYDUS_TRACE)
    for (const [i, path] of list.entries()) this.#addPath(path, `[${i}]`)
  }

  /**
   * Reads the list of `nydusify optimize --prefetch-files`:
   * `{"version":"v1","files":[{"path":"/a","ranges":[[0,20]]}]}`. Ignores the ranges, because eStargz
   * prioritizes whole files.
   */
  readNydusify(): void {
    const document = this.#parse()
    if (hasFields(document, 'patterns')) throw new RecordError('UNKNOWN_FORMAT', NYDUS_TRACE)
    const { files } = (document ?? {}) as { files?: unknown }
    if (!Array.isArray(files)) {
      throw new RecordError('INVALID_RECORD', 'expected a JSON object with an array of files')
    }
    for (const [i, file] of files.entries()) {
      this.#addPath((file as { path?: unknown } | null)?.path, `files[${i}].path`)
    }
  }

  /** @throws RecordError INVALID_RECORD with the line */
  #parse(): unknown {
    try {
      return JSON.parse(this.#text)
    } catch (error) {
      const { message } = error as Error
      const offset = /position (\d+)/.exec(message)?.[1]
      const line = this.#lineAt(offset === undefined ? this.#text.length : Number(offset))
      throw new RecordError('INVALID_RECORD', `not JSON: ${message}`, line)
    }
  }

  /** @param location of the path in the document, for error messages */
  #addPath(value: unknown, location: string): void {
    if (typeof value !== 'string' || value === '') {
      throw new RecordError('INVALID_RECORD', `${location}: expected a path`)
    }
    const path = unmarked(value)
    if (path === undefined) {
      this.#collector.countSkipped('encoding')
      return
    }
    try {
      const parsed = parsePath(path)
      if (parsed.kind === 'entry') this.#collector.addEntry(parsed.entry)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      const offset = this.#text.indexOf(JSON.stringify(value))
      const line = offset < 0 ? undefined : this.#lineAt(offset)
      throw new RecordError(error.code, `${location}: ${error.message}`, line)
    }
  }

  #lineAt(offset: number): number {
    return this.#text.slice(0, offset).split('\n').length
  }
}

function hasFields(value: unknown, ...names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => Object.hasOwn(value, name))
}
