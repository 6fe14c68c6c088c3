import { RecordError } from '../model.ts'
import type { RecordCollector } from './collector.ts'
import { foundPath } from './parsers/parsed-line.ts'

/** Formats that are one JSON document, and not lines. */
export type DocumentFormat = 'soci' | 'nydusify'

/** What of nydus looks like a list, and names no files. */
const NYDUS_TRACE =
  "nydus' access trace names blobs and inodes, not paths: upload the list of nydus-snapshotter's optimizer instead"

/**
 * Reads a record that is one JSON document.
 * @throws RecordError INVALID_RECORD with the line; UNKNOWN_FORMAT for what only looks like it
 */
export function readDocument(format: DocumentFormat, bytes: Buffer, collector: RecordCollector): void {
  const document = new ListDocument(textOf(bytes), collector)
  if (format === 'soci') document.readSoci()
  else document.readNydusify()
}

/** Stands for U+FFFD of the document itself, where what is no UTF-8 becomes U+FFFD: no text has this one. */
const OWN_REPLACEMENT = '\ufdd1'
const REPLACEMENT = '\ufffd'

/** JSON is UTF-8; where names are not, it is told which. */
function textOf(bytes: Buffer): string {
  const own = Buffer.from(REPLACEMENT).toString('latin1')
  const marked = Buffer.from(OWN_REPLACEMENT).toString('latin1')
  const isMarked = bytes.includes(own, 0, 'latin1')
  const whole = isMarked ? Buffer.from(bytes.toString('latin1').replaceAll(own, marked), 'latin1') : bytes
  return new TextDecoder('utf-8').decode(whole)
}

/** A name as it stands in the document; undefined when it is no UTF-8. */
function nameOf(path: string): string | undefined {
  if (path.includes(REPLACEMENT) || !path.isWellFormed()) return undefined
  return path.replaceAll(OWN_REPLACEMENT, REPLACEMENT)
}

class ListDocument {
  readonly #text: string
  readonly #collector: RecordCollector

  constructor(text: string, collector: RecordCollector) {
    this.#text = text
    this.#collector = collector
  }

  /** The list of SOCI's `--prefetch-files-json`: a JSON array of paths. */
  readSoci(): void {
    const list = this.#parsed()
    if (!Array.isArray(list)) throw new RecordError('INVALID_RECORD', 'expected a JSON array of paths')
    if (hasFields(list[0], 'ino', 'nr_read')) throw new RecordError('UNKNOWN_FORMAT', NYDUS_TRACE)
    for (const [i, path] of list.entries()) this.#take(path, `[${i}]`)
  }

  /**
   * The list of `nydusify optimize --prefetch-files`: `{"version":"v1","files":[{"path":"/a","ranges":[[0,20]]}]}`.
   * Ranges are passed over: eStargz prioritizes whole files.
   */
  readNydusify(): void {
    const document = this.#parsed()
    if (hasFields(document, 'patterns')) throw new RecordError('UNKNOWN_FORMAT', NYDUS_TRACE)
    const { files } = (document ?? {}) as { files?: unknown }
    if (!Array.isArray(files)) {
      throw new RecordError('INVALID_RECORD', 'expected a JSON object with an array of files')
    }
    for (const [i, file] of files.entries()) {
      this.#take((file as { path?: unknown } | null)?.path, `files[${i}].path`)
    }
  }

  /** @throws RecordError INVALID_RECORD with the line */
  #parsed(): unknown {
    try {
      return JSON.parse(this.#text)
    } catch (error) {
      const { message } = error as Error
      const at = /position (\d+)/.exec(message)?.[1]
      const line = this.#lineAt(at === undefined ? this.#text.length : Number(at))
      throw new RecordError('INVALID_RECORD', `not JSON: ${message}`, line)
    }
  }

  #take(path: unknown, place: string): void {
    if (typeof path !== 'string' || path === '') {
      throw new RecordError('INVALID_RECORD', `${place}: expected a path`)
    }
    const name = nameOf(path)
    if (name === undefined) {
      this.#collector.skip('encoding')
      return
    }
    try {
      const found = foundPath(name)
      if (typeof found === 'object' && 'entry' in found) this.#collector.add(found.entry)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      const at = this.#text.indexOf(JSON.stringify(path))
      throw new RecordError(error.code, `${place}: ${error.message}`, at < 0 ? undefined : this.#lineAt(at))
    }
  }

  #lineAt(at: number): number {
    return this.#text.slice(0, at).split('\n').length
  }
}

function hasFields(value: unknown, ...names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => Object.hasOwn(value, name))
}
