import { type Found, type LineFormat, type LineOptions, openedPath, type ReadLine } from './parsed-line.ts'

/** Of each architecture (AUDIT_ARCH_* in linux/audit.h): open, creat, execve, openat, execveat, openat2. */
const CALLS: Readonly<Record<string, readonly number[]>> = {
  c000003e: [2, 85, 59, 257, 322, 437],
  '40000003': [5, 8, 11, 295, 358, 437],
  c00000b7: [221, 56, 281, 437],
  c00000f3: [221, 56, 281, 437],
  '40000028': [5, 8, 11, 322, 387, 437],
  '80000016': [5, 8, 11, 288, 354, 437],
  c0000015: [5, 8, 11, 286, 362, 437],
}
const NAMED_CALLS: ReadonlySet<string> = new Set(['open', 'creat', 'execve', 'openat', 'execveat', 'openat2'])
/** Events whose lines have not all come; they are written one after the other, and may mix. */
const MAX_EVENTS = 256

const LINE = /^(?:node=\S+ )?type=([A-Z_0-9]+) msg=audit\(([^)]+)\)\s*: ?(.*)$/
/** An enriched log has a separator of its own, too. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is the separator.
const NEXT_FIELD = /[\s\x1d][a-zA-Z]\w*=|\x1d/
/** What ausearch puts between events. */
const SEPARATOR = /^(?:----|time->.*)$/

type Event = { opens: boolean; fails: boolean; directory: string | undefined }

/**
 * The log of Linux's audit daemon, as it lies on disk or as `ausearch` prints it, `-i` included: a SYSCALL line says what was
 * called and how it ended, CWD where, and each PATH a file of it.
 */
export const audit: LineFormat = {
  isLog: true,
  reader: auditReader,
  proves: (text) => {
    const type = LINE.exec(text.trim())?.[1]
    return type === 'SYSCALL' || type === 'PATH' || type === 'CWD'
  },
}

function auditReader({ workingDirectory }: LineOptions): ReadLine {
  const events = new Map<string, Event>()
  return (text): Found => {
    const line = text.trim()
    if (SEPARATOR.test(line)) return { skipped: 'other' }
    const [, type, id = '', rest = ''] = LINE.exec(line) ?? []
    if (type === undefined) return 'foreign'
    if (type === 'SYSCALL') remember(events, id, { ...callIn(rest), directory: undefined })
    else if (type === 'CWD') {
      const event = events.get(id)
      const directory = nameIn(rest, 'cwd', id)
      if (event && typeof directory === 'string') event.directory = directory
    } else if (type === 'PATH') return pathIn(rest, id, events.get(id), workingDirectory)
    else return { skipped: 'other' }
    return undefined
  }
}

function remember(events: Map<string, Event>, id: string, event: Event): void {
  events.set(id, event)
  for (const oldest of events.keys()) {
    if (events.size <= MAX_EVENTS) return
    events.delete(oldest)
  }
}

function callIn(fields: string): Pick<Event, 'opens' | 'fails'> {
  const arch = fieldIn(fields, 'arch') ?? ''
  const call = fieldIn(fields, 'syscall') ?? ''
  // An enriched log says the name, too, behind a separator of its own.
  const name = fieldIn(fields, 'SYSCALL') ?? (/^\d+$/.test(call) ? undefined : call)
  const known = CALLS[arch]
  const opens = name === undefined ? (known?.includes(Number(call)) ?? true) : NAMED_CALLS.has(name)
  return { opens, fails: fieldIn(fields, 'success') === 'no' }
}

function pathIn(
  fields: string,
  id: string,
  event: Event | undefined,
  workingDirectory: string | undefined,
): Found {
  const kind = fieldIn(fields, 'nametype')
  if (event === undefined || !event.opens || kind === 'PARENT') return { skipped: 'other' }
  if (event.fails || kind === 'UNKNOWN') return { skipped: 'failed' }
  if (kind === 'CREATE' || kind === 'DELETE') return { skipped: 'created' }
  const name = nameIn(fields, 'name', id)
  if (name === undefined) return { skipped: 'nameless' }
  return typeof name === 'string'
    ? openedPath(name, event.directory ?? workingDirectory)
    : { skipped: name.skipped }
}

function fieldIn(fields: string, name: string): string | undefined {
  return new RegExp(`(?:^|[\\s\\x1d])${name}=([^\\s\\x1d]*)`).exec(fields)?.[1]
}

/** A name: in quotes, in hexadecimal where it has special characters, or plain as `ausearch -i` has it. */
function nameIn(
  fields: string,
  name: string,
  id: string,
): string | { readonly skipped: 'encoding' } | undefined {
  const value = textOf(fields, name)
  if (value === undefined || value === '(null)' || value === '(none)') return undefined
  if (value.startsWith('"')) return value.slice(1, value.indexOf('"', 1))
  // An interpreted event has a date in its number.
  if (!/^[\d.:]+$/.test(id) || !/^(?:[0-9A-F]{2})+$/.test(value)) return value
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'hex'))
  } catch {
    return { skipped: 'encoding' }
  }
}

/** What stands behind `name=`: to the closing quote, or up to the next field. */
function textOf(fields: string, name: string): string | undefined {
  const start = ` ${fields}`.indexOf(` ${name}=`)
  if (start === -1) return undefined
  const rest = fields.slice(start + name.length + 1)
  const end = rest.startsWith('"') ? rest.indexOf('"', 1) + 1 : rest.search(NEXT_FIELD)
  const value = (end <= 0 ? rest : rest.slice(0, end)).trimEnd()
  return value === '' ? undefined : value
}
