import { objectOf } from './json-line.ts'
import { type Found, type LineFormat, type LineOptions, openedPath, type ReadLine } from './parsed-line.ts'

/** Names are cut to so many bytes in `fname` (gadget `trace_open`, program.bpf.c). */
const MAX_NAME_BYTES = 254

/**
 * Events of Inspektor Gadget's `trace_open` as JSON, an object a line: `fname` is the name as it was opened, `fpath` the one
 * of the kernel (with `--paths`), `error` what went wrong (v0.50). Before gadgets were images (v0.30) they had `path`,
 * `fullPath` and `err`.
 */
export const traceOpen: LineFormat = {
  isLog: true,
  reader: traceOpenReader,
  proves: (text) => namesOf(objectOf(text)) !== undefined,
}

function traceOpenReader({ workingDirectory }: LineOptions): ReadLine {
  return (text): Found => {
    const event = objectOf(text)
    const names = namesOf(event)
    if (event === undefined || names === undefined) return 'foreign'
    const { error, err } = event
    const failed = error !== undefined ? error !== '' : typeof err === 'number' && err !== 0
    if (failed) return { skipped: 'failed' }
    const { opened, full } = names
    const isWhole = opened.startsWith('/') && Buffer.byteLength(opened) < MAX_NAME_BYTES
    return openedPath(isWhole || !full.startsWith('/') ? opened : full, workingDirectory)
  }
}

function namesOf(
  event: Record<string, unknown> | undefined,
): { readonly opened: string; readonly full: string } | undefined {
  if (event === undefined) return undefined
  const { fname, fpath, fd, proc, path, fullPath, err, comm } = event
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  if (typeof fname === 'string' && (fd !== undefined || proc !== undefined)) {
    return { opened: fname, full: text(fpath) }
  }
  const isOld = typeof path === 'string' && comm !== undefined && fd !== undefined && typeof err === 'number'
  return isOld ? { opened: path, full: text(fullPath) } : undefined
}
