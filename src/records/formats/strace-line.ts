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
/** `-t`, `-tt`, `-ttt`, `-r`, `-i`, `-n`. */
const STAMPS = /^\s*(?:(?:\d\d:\d\d:\d\d(?:\.\d+)?|\+?\d+\.\d+|\(\+\s*\d+\.\d+\)|\[\s*[0-9a-f?]+\])\s+)*/
const CALL = /^([a-z_]\w*)\(/i
const RESUMED = /^<\.\.\. \w+ resumed>\s?(.*)$/s
const NOTES =
  /^(?:--- |strace: |Process \d+ |\[ Process PID=| > |<unfinished \.\.\.>$)|strace: Process \d+ attached$/
const UNFINISHED = ' <unfinished ...>'
const MOVED = /<pid changed to (\d+) \.\.\.>$/

/** Takes a line apart; undefined when it is none of strace. */
export function parseStraceLine(line: string): StraceLine | undefined {
  const text = line.trimEnd()
  if (NOTES.test(text)) return { kind: 'note' }
  const [whole = '', inBrackets, plain] = PID.exec(text) ?? []
  const pid = inBrackets ?? plain ?? ''
  const rest = text.slice(whole.length).replace(STAMPS, '')
  if (rest.startsWith('+++ ')) return rest.includes('superseded') ? { kind: 'note' } : { kind: 'exit', pid }
  if (NOTES.test(rest)) return { kind: 'note' }
  const resumed = RESUMED.exec(rest)?.[1]
  if (resumed !== undefined) return { kind: 'resumed', pid, text: resumed }
  const name = CALL.exec(rest)?.[1]
  if (name === undefined) return undefined
  const to = MOVED.exec(rest)?.[1]
  if (to !== undefined) return { kind: 'moved', pid, to, text: rest.replace(MOVED, '').trimEnd() }
  if (rest.endsWith(UNFINISHED)) return { kind: 'unfinished', pid, text: rest.slice(0, -UNFINISHED.length) }
  return /\)\s*= \S/.test(rest) ? { kind: 'call', pid, name, text: rest } : undefined
}

/** Whether a line can be taken for nothing but strace. */
export function isStraceLine(line: string): boolean {
  const kind = parseStraceLine(line)?.kind
  return kind === 'note' ? /^(?:--- SIG|strace: |Process \d+ attached)/.test(line) : kind !== undefined
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

const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8 }

/** The text that a quoted argument stands for; undefined for an address, and for a text that was cut. */
export function unquote(argument: string | undefined): string | undefined {
  const inside = /^"(.*)"$/s.exec(argument ?? '')?.[1]
  return inside === undefined ? undefined : unescaped(inside)
}

/** The path of a file descriptor, as `-y` prints it: `3</etc/passwd>`. */
export function pathOfDescriptor(argument: string): string | undefined {
  const inside = /^(?:-?\d+|AT_FDCWD)<(\/(?:[^\\>]|\\.)*)>/s.exec(argument)?.[1]
  return inside === undefined || inside.endsWith(' (deleted)') ? undefined : unescaped(inside)
}

/** Undoes the escapes of C; what is no UTF-8 becomes U+FFFD, as in the records of other profilers. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  const bytes: Buffer[] = []
  const part = /\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))|[^\\]+|\\$/gs
  for (const [whole, octal, hex, char] of text.matchAll(part)) {
    if (octal !== undefined) bytes.push(Buffer.of(Number.parseInt(octal, 8) & 0xff))
    else if (hex !== undefined) bytes.push(Buffer.of(Number.parseInt(hex, 16)))
    else if (char === undefined) bytes.push(Buffer.from(whole))
    else bytes.push(ESCAPES[char] === undefined ? Buffer.from(char) : Buffer.of(ESCAPES[char]))
  }
  return Buffer.concat(bytes).toString('utf8')
}
