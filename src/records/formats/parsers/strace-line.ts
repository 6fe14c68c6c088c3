import { NOT_UTF8 } from './parsed-line.ts'

/** One line of `strace`, split into the parts that a record needs. */
export type StraceLine =
  /** A complete call. */
  | { readonly kind: 'call'; readonly pid: string; readonly name: string; readonly text: string }
  /** The first part of a call that calls of other processes interrupted, and its second part. */
  | { readonly kind: 'unfinished'; readonly pid: string; readonly text: string }
  | { readonly kind: 'resumed'; readonly pid: string; readonly text: string }
  /** A call that continues under another pid: an execve of a thread that is not the first. */
  | { readonly kind: 'moved'; readonly pid: string; readonly to: string; readonly text: string }
  | { readonly kind: 'exit'; readonly pid: string }
  /** Signals, and messages of strace itself. */
  | { readonly kind: 'note' }

/** A call that returned. */
export type StraceCall = {
  readonly name: string
  /** As printed by strace. */
  readonly args: readonly string[]
  /** The text after `= `: a number, and with `-y` the path of a file descriptor. */
  readonly result: string
}

/** `[pid 7] `, `7 `, `7<sh> ` (`--decode-pids=comm`). */
const PID = /^(?:\[pid\s+(\d+)(?:<[^>]*>)?\]\s+|(\d+)(?:<[^>]*>)?\s+)/
/** `-t`, `-tt`, `-ttt`, `-r`, `-i`, `-n`, `--secontext`. */
const STAMPS =
  /^\s*(?:(?:\d\d:\d\d:\d\d(?:\.\d+)?|\+?\d+\.\d+|\(\+\s*\d+\.\d+\)|\[\s*[0-9a-f?]+\]|\[[\w:.,-]+\])\s+)*/
const CALL = /^([a-z_]\w*)\(/i
const RESUMED = /^<\.\.\. \w+ resumed>\s?(.*)$/s
const NOTES =
  /^(?:--- |strace: |Process \d+ |\[ Process PID=| > |<unfinished \.\.\.>$)|strace: Process \d+ attached$/
/** The table of `-C` and `-w`. */
const SUMMARY = /^\s*(?:% time\s+seconds\s|-{6}[- ]*$|\d+\.\d+\s+\d+\.\d+\s+\d+\s+\d+(?:\s+\d+)?\s+\w+$)/
/** A call that was in progress when strace detached from its process. */
const DETACHED = / <detached \.\.\.>$/
const UNFINISHED = ' <unfinished ...>'
const MOVED = /<pid changed to (\d+) \.\.\.>$/

/** Parses a line of strace; undefined for any other text. */
export function parseStraceLine(line: string): StraceLine | undefined {
  const text = line.trimEnd()
  if (NOTES.test(text) || SUMMARY.test(text)) return { kind: 'note' }
  const [prefix = '', bracketedPid, plainPid] = PID.exec(text) ?? []
  const pid = bracketedPid ?? plainPid ?? ''
  const event = text.slice(prefix.length).replace(STAMPS, '')
  if (event.startsWith('+++ ')) return event.includes('superseded') ? { kind: 'note' } : { kind: 'exit', pid }
  if (NOTES.test(event)) return { kind: 'note' }
  const resumed = RESUMED.exec(event)?.[1]
  if (resumed !== undefined) return { kind: 'resumed', pid, text: resumed }
  const name = CALL.exec(event)?.[1]
  if (name === undefined) return undefined
  if (DETACHED.test(event)) return { kind: 'note' }
  const to = MOVED.exec(event)?.[1]
  if (to !== undefined) return { kind: 'moved', pid, to, text: event.replace(MOVED, '').trimEnd() }
  if (event.endsWith(UNFINISHED)) return { kind: 'unfinished', pid, text: event.slice(0, -UNFINISHED.length) }
  return /\)\s*= \S/.test(event) ? { kind: 'call', pid, name, text: event } : undefined
}

const OPENING_CALL = /^(?:open|openat|openat2|creat|execve|execveat)\(/
const RESULT = /\)\s*= (?:-?\d+|0x[0-9a-f]+|\?)(?:\s|<|$)/

/**
 * Whether a line can only be a line of strace. Other texts contain things that look like calls, so a call
 * needs a result, and an incomplete one has to be a call that opens files.
 */
export function isStraceLine(line: string): boolean {
  const parsed = parseStraceLine(line)
  switch (parsed?.kind) {
    case 'call':
    case 'resumed':
      return RESULT.test(parsed.text)
    case 'unfinished':
    case 'moved':
      return OPENING_CALL.test(parsed.text)
    default:
      return false
  }
}

/** Parses the arguments and the result of a complete call; undefined if the text is truncated. */
export function parseCall(text: string): StraceCall | undefined {
  const name = CALL.exec(text)?.[1]
  if (name === undefined) return undefined
  const args: string[] = []
  let depth = 0
  let start = name.length + 1
  for (let i = start; i < text.length; i++) {
    const char = text[i] ?? ''
    if (char === '"') i = quoteEnd(text, i + 1, '"')
    else if (char === '<' && /[0-9D]/.test(text[i - 1] ?? '')) i = quoteEnd(text, i + 1, '>')
    else if (depth === 0 && (char === ',' || char === ')')) {
      args.push(text.slice(start, i).trim())
      start = i + 1
      if (char === ')') {
        const result = /^\s*= (.+)$/s.exec(text.slice(start))?.[1]
        return result === undefined ? undefined : { name, args, result }
      }
    } else if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) depth--
  }
  return undefined
}

/** Returns the index of the closing quote, or the length of the text if there is none. */
function quoteEnd(text: string, start: number, quote: string): number {
  for (let i = start; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === quote) return i
  }
  return text.length
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8 }

/**
 * Decodes a quoted argument; undefined for an address and for a truncated text. The file's security context
 * may follow the quoted text (`--secontext`).
 */
export function unquote(argument: string | undefined): string | typeof NOT_UTF8 | undefined {
  const quoted = /^"((?:[^"\\]|\\.)*)"(?:\s*\[.*\])?$/s.exec(argument ?? '')?.[1]
  return quoted === undefined ? undefined : unescapeC(quoted)
}

/**
 * The path of a file descriptor, as printed by `-y`: `3</etc/passwd>`; `-yy` prints `3</dev/tty<char 5:0>>`.
 */
export function pathOfDescriptor(argument: string): string | undefined {
  const escaped = /^(?:-?\d+|0x[0-9a-f]+|AT_FDCWD)(?: \/\* AT_FDCWD \*\/)?<(\/(?:[^\\>]|\\.)*)>/s.exec(
    argument,
  )?.[1]
  if (escaped === undefined || escaped.endsWith(' (deleted)')) return undefined
  const path = unescapeC(escaped.replace(/<(?:char|block) [\d:]+$/, ''))
  return path === NOT_UTF8 ? undefined : path
}

/** Whether an argument is AT_FDCWD, by name or as printed by `-X raw` and `-X verbose`. */
export function isWorkingDirectory(argument: string): boolean {
  return /^(?:AT_FDCWD|0xffffff9c|-100)\b/.test(argument)
}

/** Decodes the escape sequences of C. */
function unescapeC(text: string): string | typeof NOT_UTF8 {
  if (!text.includes('\\')) return text
  const bytes: Buffer[] = []
  const part = /\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))|[^\\]+|\\$/gs
  for (const [match, octal, hex, char] of text.matchAll(part)) {
    if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8) & 0xff))
    else if (hex !== undefined) bytes.push(Buffer.of(Number.parseInt(hex, 16)))
    else if (char === undefined) bytes.push(Buffer.from(match))
    else bytes.push(ESCAPES[char] === undefined ? Buffer.from(char) : Buffer.of(ESCAPES[char]))
  }
  try {
    return utf8.decode(Buffer.concat(bytes))
  } catch {
    return NOT_UTF8
  }
}
