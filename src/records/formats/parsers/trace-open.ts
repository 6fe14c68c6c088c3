import { parseJsonObject } from './json-line.ts'
import {
  FOREIGN_LINE,
  type LineFormat,
  type LineFormatOptions,
  type ParsedLine,
  type ParseLine,
  parseOpenedPath,
  skippedLine,
} from './parsed-line.ts'

/** `fname` is truncated to this many bytes (gadget `trace_open`, program.bpf.c). */
const MAX_NAME_BYTES = 254

/**
 * Events of Inspektor Gadget's `trace_open` as JSON, one object per line. `fname` is the path that the
 * program opened, `fpath` the path that the kernel resolved (with `--paths`), `error` the error (v0.50).
 * Before gadgets were images (v0.30), these fields were `path`, `fullPath` and `err`.
 */
export const traceOpen: LineFormat = {
  isLog: true,
  createParser,
  isDistinctive: (text) => pathsIn(parseJsonObject(text)) !== undefined,
}

function createParser({ workingDirectory }: LineFormatOptions): ParseLine {
  return (text): ParsedLine => {
    const event = parseJsonObject(text)
    const paths = pathsIn(event)
    if (event === undefined || paths === undefined) return FOREIGN_LINE
    const { error, err } = event
    const hasFailed = error !== undefined ? error !== '' : typeof err === 'number' && err !== 0
    if (hasFailed) return skippedLine('failed')
    const { opened, resolved } = paths
    const isComplete = opened.startsWith('/') && Buffer.byteLength(opened) < MAX_NAME_BYTES
    return parseOpenedPath(isComplete || !resolved.startsWith('/') ? opened : resolved, workingDirectory)
  }
}

function pathsIn(
  event: Record<string, unknown> | undefined,
): { readonly opened: string; readonly resolved: string } | undefined {
  if (event === undefined) return undefined
  const { fname, fpath, fd, proc, path, fullPath, err, comm } = event
  const textOrEmpty = (value: unknown) => (typeof value === 'string' ? value : '')
  if (typeof fname === 'string' && (fd !== undefined || proc !== undefined)) {
    return { opened: fname, resolved: textOrEmpty(fpath) }
  }
  const isOldFormat =
    typeof path === 'string' && comm !== undefined && fd !== undefined && typeof err === 'number'
  return isOldFormat ? { opened: path, resolved: textOrEmpty(fullPath) } : undefined
}
