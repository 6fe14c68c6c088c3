/** One line of `strace`, taken apart as far as it matters here. */
export type StraceLine =
  /** A whole call. */
  | { readonly kind: 'call'; readonly pid: string; readonly name: string; readonly text: string }
  /** The first part of a call that others ran beside, and its second part. */
  | { readonly kind: 'unfinished'; readonly pid: string; readonly text: string }
  | { readonly kind: 'resumed'; readonly pid: string; readonly text: string }
  /** A call that goes on under another pid: an execve of a thread that is not the first. */
  | { readonly kind: 'moved'; readonly pid: string; readonly to: string; readonly text: string }
  | { readonly kind: 'exit'; readonly pid: string }
  /** Signals, and what strace says of itself. */
  | { readonly kind: 'note' }

/** A call that has ended. */
export type StraceCall = {
  readonly name: string
  /** As strace prints them. */
  readonly args: readonly string[]
  /** What follows `= `: a number, and with `-y` the path of a file descriptor. */
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
/** The table of `-C` and `-w`, and a call that strace let go of. */
const SUMMARY = /^\s*(?:% time\s+seconds\s|-{6}[- ]*$|\d+\.\d+\s+\d+\.\d+\s+\d+\s+\d+(?:\s+\d+)?\s+\w+$)/
const DETACHED = / <detached \.\.\.>$/
const UNFINISHED = ' <unfinished ...>'
const MOVED = /<pid changed to (\d+) \.\.\.>$/

/** Takes a line apart; undefined when it is none of strace. */
export function parseStraceLine(line: string): StraceLine | undefined {
  const text = line.trimEnd()
  if (NOTES.test(text) || SUMMARY.test(text)) return { kind: 'note' }
  const [whole = '', inBrackets, plain] = PID.exec(text) ?? []
  const pid = inBrackets ?? plain ?? ''
  const rest = text.slice(whole.length).replace(STAMPS, '')
  if (rest.startsWith('+++ ')) return rest.includes('superseded') ? { kind: 'note' } : { kind: 'exit', pid }
  if (NOTES.test(rest)) return { kind: 'note' }
  const resumed = RESUMED.exec(rest)?.[1]
  if (resumed !== undefined) return { kind: 'resumed', pid, text: resumed }
  const name = CALL.exec(rest)?.[1]
  if (name === undefined) return undefined
  if (DETACHED.test(rest)) return { kind: 'note' }
  const to = MOVED.exec(rest)?.[1]
  if (to !== undefined) return { kind: 'moved', pid, to, text: rest.replace(MOVED, '').trimEnd() }
  if (rest.endsWith(UNFINISHED)) return { kind: 'unfinished', pid, text: rest.slice(0, -UNFINISHED.length) }
  return /\)\s*= \S/.test(rest) ? { kind: 'call', pid, name, text: rest } : undefined
}

/** Calls that open files, and results of any: what looks like a call may stand in other texts, too. */
const OPENS = /^(?:open|openat|openat2|creat|execve|execveat)\(/
const RESULT = /\)\s*= (?:-?\d+|0x[0-9a-f]+|\?)(?:\s|<|$)/

/** Whether a line can be taken for nothing but strace. */
export function isStraceLine(line: string): boolean {
  const parsed = parseStraceLine(line)
  switch (parsed?.kind) {
    case 'call':
      return RESULT.test(parsed.text)
    case 'unfinished':
    case 'moved':
      return OPENS.test(parsed.text)
    case 'resumed':
      return RESULT.test(parsed.text)
    default:
      return false
  }
}

/** The arguments and the result of a whole call; undefined when it is cut off. */
export function parseCall(text: string): StraceCall | undefined {
  const name = CALL.exec(text)?.[1]
  if (name === undefined) return undefined
  const args: string[] = []
  let depth = 0
  let from = name.length + 1
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? ''
    if (char === '"') at = endOf(text, at + 1, '"')
    else if (char === '<' && /[0-9D]/.test(text[at - 1] ?? '')) at = endOf(text, at + 1, '>')
    else if (depth === 0 && (char === ',' || char === ')')) {
      args.push(text.slice(from, at).trim())
      from = at + 1
      const result = char === ')' ? /^\s*= (.+)$/s.exec(text.slice(from))?.[1] : undefined
      if (char === ')') return result === undefined ? undefined : { name, args, result }
    } else if ('([{'.includes(char)) depth++
    else if (')]}'.includes(char)) depth--
  }
  return undefined
}

/** Where a quoted text ends. */
function endOf(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === quote) return at
  }
  return text.length
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8 }

/** A text that is no UTF-8, which no record holds. */
export const NO_TEXT = Symbol('no UTF-8')

/**
 * The text that a quoted argument stands for; undefined for an address, and for a text that was cut. Behind it there may be the
 * context of the file (`--secontext`).
 */
export function unquote(argument: string | undefined): string | typeof NO_TEXT | undefined {
  const inside = /^"((?:[^"\\]|\\.)*)"(?:\s*\[.*\])?$/s.exec(argument ?? '')?.[1]
  return inside === undefined ? undefined : unescaped(inside)
}

/** The path of a file descriptor, as `-y` prints it: `3</etc/passwd>`, with `-yy` `3</dev/tty<char 5:0>>`. */
export function pathOfDescriptor(argument: string): string | undefined {
  const inside = /^(?:-?\d+|0x[0-9a-f]+|AT_FDCWD)(?: \/\* AT_FDCWD \*\/)?<(\/(?:[^\\>]|\\.)*)>/s.exec(
    argument,
  )?.[1]
  if (inside === undefined || inside.endsWith(' (deleted)')) return undefined
  const path = unescaped(inside.replace(/<(?:char|block) [\d:]+$/, ''))
  return path === NO_TEXT ? undefined : path
}

/** Whether an argument stands for the working directory, by name or as `-X raw` and `-X verbose` print it. */
export function isWorkingDirectory(argument: string): boolean {
  return /^(?:AT_FDCWD|0xffffff9c|-100)\b/.test(argument)
}

/** Undoes the escapes of C. */
function unescaped(text: string): string | typeof NO_TEXT {
  if (!text.includes('\\')) return text
  const bytes: Buffer[] = []
  const part = /\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))|[^\\]+|\\$/gs
  for (const [whole, octal, hex, char] of text.matchAll(part)) {
    if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8) & 0xff))
    else if (hex !== undefined) bytes.push(Buffer.of(Number.parseInt(hex, 16)))
    else if (char === undefined) bytes.push(Buffer.from(whole))
    else bytes.push(ESCAPES[char] === undefined ? Buffer.from(char) : Buffer.of(ESCAPES[char]))
  }
  try {
    return utf8.decode(Buffer.concat(bytes))
  } catch {
    return NO_TEXT
  }
}
