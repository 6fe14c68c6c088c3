import {
  EMPTY_LINE,
  FOREIGN_LINE,
  type LineFormat,
  type LineFormatOptions,
  NOT_UTF8,
  type ParsedLine,
  type ParseLine,
  parseOpenedPath,
  skippedLine,
} from './parsed-line.ts'

/**
 * Numbers of open, creat, execve, openat, execveat and openat2, by architecture (AUDIT_ARCH_* in
 * linux/audit.h).
 */
const CALL_NUMBERS: Readonly<Record<string, readonly number[]>> = {
  c000003e: [2, 85, 59, 257, 322, 437],
  '40000003': [5, 8, 11, 295, 358, 437],
  c00000b7: [221, 56, 281, 437],
  c00000f3: [221, 56, 281, 437],
  '40000028': [5, 8, 11, 322, 387, 437],
  '80000016': [5, 8, 11, 288, 354, 437],
  c0000015: [5, 8, 11, 286, 362, 437],
}
const CALL_NAMES: ReadonlySet<string> = new Set(['open', 'creat', 'execve', 'openat', 'execveat', 'openat2'])
/**
 * Events remembered for their later lines. Lines of an event follow each other, but events may be
 * interleaved.
 */
const MAX_EVENTS = 256

const LINE = /^(?:node=\S+ )?type=([A-Z_0-9]+) msg=audit\(([^)]+)\)\s*: ?(.*)$/
/** The next field of a line; enriched logs put a separator of their own before the fields that they add. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the separator.
const NEXT_FIELD = /[\s\x1d][a-zA-Z]\w*=|\x1d/
/** Lines that ausearch prints between events. */
const SEPARATOR = /^(?:----|time->.*)$/

type Event = { isOpen: boolean; hasFailed: boolean; directory: string | undefined }

/**
 * The log of Linux's audit daemon, as stored on disk or as printed by `ausearch`, with or without `-i`. The
 * SYSCALL line of an event contains the call and its result, the CWD line the working directory, and each
 * PATH line a file.
 */
export const audit: LineFormat = {
  isLog: true,
  createParser,
  isDistinctive: (text) => {
    const type = LINE.exec(text.trim())?.[1]
    return type === 'SYSCALL' || type === 'PATH' || type === 'CWD'
  },
}

function createParser({ workingDirectory }: LineFormatOptions): ParseLine {
  const events = new Map<string, Event>()
  return (text): ParsedLine => {
    const line = text.trim()
    if (SEPARATOR.test(line)) return skippedLine('other')
    const [, type, id = '', fields = ''] = LINE.exec(line) ?? []
    switch (type) {
      case undefined:
        return FOREIGN_LINE
      case 'SYSCALL':
        remember(events, id, { ...parseCall(fields), directory: undefined })
        return EMPTY_LINE
      case 'CWD': {
        const event = events.get(id)
        const directory = readName(fields, 'cwd', id)
        if (event && typeof directory === 'string') event.directory = directory
        return EMPTY_LINE
      }
      case 'PATH':
        return parsePathFields(fields, id, events.get(id), workingDirectory)
      default:
        return skippedLine('other')
    }
  }
}

function remember(events: Map<string, Event>, id: string, event: Event): void {
  events.set(id, event)
  for (const oldest of events.keys()) {
    if (events.size <= MAX_EVENTS) return
    events.delete(oldest)
  }
}

function parseCall(fields: string): Pick<Event, 'isOpen' | 'hasFailed'> {
  const arch = readField(fields, 'arch') ?? ''
  const call = readField(fields, 'syscall') ?? ''
  // An enriched log also has the name, in a field SYSCALL behind its separator.
  const name = readField(fields, 'SYSCALL') ?? (/^\d+$/.test(call) ? undefined : call)
  const numbers = CALL_NUMBERS[arch]
  const isOpen = name === undefined ? (numbers?.includes(Number(call)) ?? true) : CALL_NAMES.has(name)
  return { isOpen, hasFailed: readField(fields, 'success') === 'no' }
}

function parsePathFields(
  fields: string,
  id: string,
  event: Event | undefined,
  workingDirectory: string | undefined,
): ParsedLine {
  const nameType = readField(fields, 'nametype')
  if (event === undefined || !event.isOpen || nameType === 'PARENT') return skippedLine('other')
  if (event.hasFailed || nameType === 'UNKNOWN') return skippedLine('failed')
  if (nameType === 'CREATE' || nameType === 'DELETE') return skippedLine('created')
  const name = readName(fields, 'name', id)
  if (name === undefined) return skippedLine('nameless')
  if (name === NOT_UTF8) return skippedLine('encoding')
  return parseOpenedPath(name, event.directory ?? workingDirectory)
}

function readField(fields: string, name: string): string | undefined {
  return new RegExp(`(?:^|[\\s\\x1d])${name}=([^\\s\\x1d]*)`).exec(fields)?.[1]
}

/** Reads a name: quoted, hexadecimal if it has special characters, or plain as printed by `ausearch -i`. */
function readName(fields: string, name: string, id: string): string | typeof NOT_UTF8 | undefined {
  const value = readValue(fields, name)
  if (value === undefined || value === '(null)' || value === '(none)') return undefined
  if (value.startsWith('"')) return value.slice(1, value.indexOf('"', 1))
  // The id of an interpreted event contains a date, and its names are not hexadecimal.
  if (!/^[\d.:]+$/.test(id) || !/^(?:[0-9A-F]{2})+$/.test(value)) return value
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'hex'))
  } catch {
    return NOT_UTF8
  }
}

/** Reads the text after `name=`: to the closing quote, or up to the next field. */
function readValue(fields: string, name: string): string | undefined {
  const start = ` ${fields}`.indexOf(` ${name}=`)
  if (start === -1) return undefined
  const tail = fields.slice(start + name.length + 1)
  const end = tail.startsWith('"') ? tail.indexOf('"', 1) + 1 : tail.search(NEXT_FIELD)
  const value = (end <= 0 ? tail : tail.slice(0, end)).trimEnd()
  return value === '' ? undefined : value
}
