import { MAX_PATH_BYTES } from '../../model.ts'
import { type Found, type LineFormat, openedPath } from './parsed-line.ts'
import {
  isStraceLine,
  isWorkingDirectory,
  NO_TEXT,
  parseCall,
  parseStraceLine,
  pathOfDescriptor,
  type StraceCall,
  unquote,
} from './strace-line.ts'
import { isShellCommand } from './wrappers.ts'

/** Processes, and directories open in one, that are remembered: what goes beyond that is reported as relative. */
const MAX_PROCESSES = 4096
const MAX_DIRECTORIES = 256

/** What of a process decides where a relative path leads. Threads share these. */
type Process = {
  place: { directory: string | undefined }
  /** Directories that are open, by file descriptor. */
  open: Map<number, string>
  /** A call that has begun. */
  begun: string
  /** It ran before the fork that made it returned. */
  isEarly?: boolean
}

/** A path argument, and the directory that it is relative to. */
type Named = {
  readonly path: string | typeof NO_TEXT | undefined
  readonly at: string
  readonly flags: string
}

const FORKS = new Set(['clone', 'clone2', 'clone3', 'fork', 'vfork'])

/**
 * The log of `strace` of opens (open, openat, openat2, creat) and programs (execve, execveat), also with `-f`, `-t`, `-tt`,
 * `-ttt`, `-r`, `-T`, `-y`, `-X`, `-C` and `--secontext`. Calls that failed are passed over. Relative paths are resolved where the log tells of
 * the directory: by `-y`, by chdir, fchdir and getcwd, by directories that were opened; children inherit both.
 */
export const strace: LineFormat = {
  isLog: true,
  proves: isStraceLine,
  reader: ({ workingDirectory }) => {
    const log = new StraceLog(workingDirectory)
    return (text) => log.read(text)
  },
}

class StraceLog {
  readonly #start: string | undefined
  readonly #processes = new Map<string, Process>()
  /** The process whose fork began last and has not returned. */
  #forking: Process | undefined

  constructor(start: string | undefined) {
    this.#start = start
  }

  read(text: string): Found {
    const line = parseStraceLine(text)
    if (line === undefined) return 'foreign'
    if (line.kind === 'note') return { skipped: 'other' }
    const process = this.#process(line.pid)
    switch (line.kind) {
      case 'exit':
        this.#processes.delete(line.pid)
        if (this.#forking === process) this.#forking = undefined
        return { skipped: 'other' }
      case 'unfinished':
        process.begun = line.text
        if (FORKS.has(/^\w+/.exec(line.text)?.[0] ?? '')) this.#forking = process
        return undefined
      case 'moved':
        this.#processes.delete(line.pid)
        this.#add(line.to, { ...process, begun: line.text })
        return undefined
      case 'resumed':
        return this.#end(process, process.begun + line.text)
      case 'call':
        return this.#end(process, line.text)
    }
  }

  #end(process: Process, text: string): Found {
    process.begun = ''
    if (this.#forking === process) this.#forking = undefined
    const call = parseCall(text)
    if (call === undefined) return { skipped: 'other' }
    return this.#opened(call, process) ?? this.#follow(call, process)
  }

  /** What a call opened; undefined when it is none that opens. */
  #opened(call: StraceCall, process: Process): Found {
    const named = namedBy(call)
    if (named === undefined) return undefined
    // A call that failed tells of the directory, too.
    const directory = this.#directoryOf(named.at, process)
    if (hasFailed(call)) return { skipped: 'failed' }
    if (isNew(named.flags)) return { skipped: 'created' }
    if (named.path === NO_TEXT) return { skipped: 'encoding' }
    const rooted = named.flags.includes('RESOLVE_IN_ROOT')
    const path = rooted ? named.path?.replace(/^\/*/, './') : named.path
    // Without a name of its own it is the file descriptor's (AT_EMPTY_PATH).
    const found = path === '' ? openedPath(directory ?? '', undefined) : openedPath(path ?? '', directory)
    const isProgram = call.name === 'execve' || call.name === 'execveat'
    if (!isProgram) {
      const isDirectory = /\bO_(DIRECTORY|PATH)\b/.test(named.flags)
      const where = pathOfDescriptor(call.result) ?? join(directory, path)
      remember(process.open, Number.parseInt(call.result, 10), isDirectory ? where : undefined)
    }
    const isElsewhere = typeof found === 'object' && 'skipped' in found
    const where = isElsewhere ? pathOfDescriptor(call.result) : undefined
    if (where !== undefined) return openedPath(where, undefined)
    if (!isProgram || typeof found !== 'object' || !('entry' in found)) return found
    return isShellCommand(path ?? '', call.args.slice(1).join()) ? { ...found, isWrapper: true } : found
  }

  /** Follows what changes where relative paths lead. */
  #follow(call: StraceCall, process: Process): Found {
    const skipped = { skipped: 'other' as const }
    if (hasFailed(call)) return skipped
    const [first = ''] = call.args
    const text = unquote(first)
    const path = text === NO_TEXT ? undefined : text
    if (call.name === 'chdir') process.place.directory = join(process.place.directory, path)
    else if (call.name === 'fchdir') process.place.directory = this.#directoryOf(first, process)
    else if (call.name === 'getcwd') process.place.directory = path ?? process.place.directory
    else if (call.name === 'close') process.open.delete(Number.parseInt(first, 10))
    else if (FORKS.has(call.name)) this.#fork(call, process)
    return skipped
  }

  #fork({ args, result }: StraceCall, parent: Process): void {
    // In another PID namespace the child has another number for its parent than for strace.
    const pid = (/\/\* (\d+) in strace's PID NS \*\//.exec(result) ?? /^(\d+)/.exec(result))?.[1] ?? ''
    const known = this.#processes.get(pid)
    // A number that is used again is that of a new process.
    if (known?.isEarly) known.isEarly = false
    else this.#add(pid, childOf(parent, args.join()))
  }

  #directoryOf(at: string, process: Process): string | undefined {
    const named = pathOfDescriptor(at)
    if (!isWorkingDirectory(at)) return named ?? process.open.get(Number.parseInt(at, 10))
    if (named !== undefined) process.place.directory = named
    return process.place.directory
  }

  /**
   * The process of a pid. One that is not known is a child of a process whose fork has not returned, or the first
   * one, whose lines have no pid before it has children.
   */
  #process(pid: string): Process {
    const known = this.#processes.get(pid)
    if (known !== undefined) return known
    if (this.#forking) {
      return this.#add(pid, { ...childOf(this.#forking, this.#forking.begun), isEarly: true })
    }
    const first = this.#processes.get('')
    if (first) return this.#add(pid, { ...childOf(first, ''), begun: first.begun })
    return this.#add(pid, { place: { directory: this.#start }, open: new Map(), begun: '' })
  }

  #add(pid: string, process: Process): Process {
    if (this.#processes.size >= MAX_PROCESSES) this.#processes.clear()
    this.#processes.set(pid, process)
    return process
  }
}

/** The path that a call opens. */
function namedBy({ name, args }: StraceCall): Named | undefined {
  const [first = '', second = ''] = args
  const rest = args.slice(1).join()
  switch (name) {
    case 'open':
    case 'execve':
      return { path: unquote(first), at: 'AT_FDCWD', flags: name === 'open' ? rest : '' }
    case 'creat':
      return { path: unquote(first), at: 'AT_FDCWD', flags: 'O_CREAT|O_EXCL' }
    case 'openat':
    case 'openat2':
      return { path: unquote(second), at: first, flags: args.slice(2).join() }
    case 'execveat':
      return { path: unquote(second), at: first, flags: '' }
    default:
      return undefined
  }
}

/** Numbers are those of Linux on all but the oldest architectures (`-X raw`). */
const RAW_CREATES_NEW = 0o300

function isNew(flags: string): boolean {
  if (/^0x[0-9a-f]+/.test(flags) && (Number.parseInt(flags, 16) & RAW_CREATES_NEW) === RAW_CREATES_NEW)
    return true
  return /\bO_TMPFILE\b/.test(flags) || (/\bO_CREAT\b/.test(flags) && /\bO_EXCL\b/.test(flags))
}

function hasFailed({ result }: StraceCall): boolean {
  return /^(?:-\d|\?)/.test(result)
}

function remember(open: Map<number, string>, descriptor: number, path: string | undefined): void {
  if (path === undefined || open.size >= MAX_DIRECTORIES) open.delete(descriptor)
  else open.set(descriptor, path)
}

/** A path from a directory; undefined when that is not known, or it has become longer than any path. */
function join(directory: string | undefined, path: string | undefined): string | undefined {
  if (path === undefined || path.startsWith('/')) return path
  const joined = directory === undefined ? undefined : `${directory}/${path}`
  return joined !== undefined && joined.length <= MAX_PATH_BYTES ? joined : undefined
}

/** Threads share directories and file descriptors, other children begin with a copy (clone(2)). */
function childOf(parent: Process, flags: string): Process {
  return {
    place: flags.includes('CLONE_FS') ? parent.place : { ...parent.place },
    open: flags.includes('CLONE_FILES') ? parent.open : new Map(parent.open),
    begun: '',
  }
}
