import { MAX_PATH_BYTES } from '../../model.ts'
import {
  EMPTY_LINE,
  FOREIGN_LINE,
  type LineFormat,
  NOT_UTF8,
  type ParsedLine,
  parseOpenedPath,
  skippedLine,
} from './parsed-line.ts'
import {
  isStraceLine,
  isWorkingDirectory,
  parseCall,
  parseStraceLine,
  pathOfDescriptor,
  type StraceCall,
  unquote,
} from './strace-line.ts'
import { isShellCommand } from './wrappers.ts'

/** Processes that are remembered. Relative paths of a process that was forgotten are reported as relative. */
const MAX_PROCESSES = 4096
/** Open directories that are remembered for each process. */
const MAX_DIRECTORIES = 256

/** The state of a process that decides what a relative path means. */
type Process = {
  /** Shared by threads. */
  workingDirectory: { path: string | undefined }
  /** Paths of open directories, by file descriptor; shared by threads. */
  openDirectories: Map<number, string>
  /** The first part of an unfinished call. */
  unfinishedCall: string
  /** Whether the process made calls before the fork that created it returned. */
  isEarly?: boolean
}

/** A path argument of a call. */
type PathArgument = {
  readonly path: string | typeof NOT_UTF8 | undefined
  /** The argument that names the directory of a relative path. */
  readonly directory: string
  readonly flags: string
}

const FORKS = new Set(['clone', 'clone2', 'clone3', 'fork', 'vfork'])

/**
 * The log of `strace` for calls that open files (open, openat, openat2, creat) and programs (execve,
 * execveat), also with `-f`, `-t`, `-tt`, `-ttt`, `-r`, `-T`, `-y`, `-X`, `-C` and `--secontext`. Failed
 * calls are skipped. Relative paths are resolved if the log shows the directory: by `-y`, by chdir, fchdir
 * and getcwd, or by an open of the directory; children inherit working directories and open directories.
 */
export const strace: LineFormat = {
  isLog: true,
  isDistinctive: isStraceLine,
  createParser: ({ workingDirectory }) => {
    const log = new StraceLog(workingDirectory)
    return (text) => log.parseLine(text)
  },
}

class StraceLog {
  readonly #initialDirectory: string | undefined
  readonly #processes = new Map<string, Process>()
  /** The process that most recently started a fork that has not returned. */
  #forking: Process | undefined

  constructor(initialDirectory: string | undefined) {
    this.#initialDirectory = initialDirectory
  }

  parseLine(text: string): ParsedLine {
    const line = parseStraceLine(text)
    if (line === undefined) return FOREIGN_LINE
    if (line.kind === 'note') return skippedLine('other')
    const process = this.#getProcess(line.pid)
    switch (line.kind) {
      case 'exit':
        this.#processes.delete(line.pid)
        if (this.#forking === process) this.#forking = undefined
        return skippedLine('other')
      case 'unfinished':
        process.unfinishedCall = line.text
        if (FORKS.has(/^\w+/.exec(line.text)?.[0] ?? '')) this.#forking = process
        return EMPTY_LINE
      case 'moved':
        this.#processes.delete(line.pid)
        this.#addProcess(line.to, { ...process, unfinishedCall: line.text })
        return EMPTY_LINE
      case 'resumed':
        return this.#finishCall(process, process.unfinishedCall + line.text)
      case 'call':
        return this.#finishCall(process, line.text)
    }
  }

  #finishCall(process: Process, text: string): ParsedLine {
    process.unfinishedCall = ''
    if (this.#forking === process) this.#forking = undefined
    const call = parseCall(text)
    if (call === undefined) return skippedLine('other')
    const line = this.#parseOpen(call, process)
    if (line.kind !== 'empty') return line
    if (!hasFailed(call)) this.#updateProcess(call, process)
    return skippedLine('other')
  }

  /** Parses a call that opens a file; empty for any other call, and for the root directory. */
  #parseOpen(call: StraceCall, process: Process): ParsedLine {
    const argument = pathArgumentOf(call)
    if (argument === undefined) return EMPTY_LINE
    // Even a failed call shows its directory.
    const directory = this.#resolveDirectory(argument.directory, process)
    if (hasFailed(call)) return skippedLine('failed')
    if (createsFile(argument.flags)) return skippedLine('created')
    if (argument.path === NOT_UTF8) return skippedLine('encoding')
    const isInRoot = argument.flags.includes('RESOLVE_IN_ROOT')
    const path = isInRoot ? argument.path?.replace(/^\/*/, './') : argument.path
    // With an empty path, the call opens the file descriptor itself (AT_EMPTY_PATH).
    const line =
      path === '' ? parseOpenedPath(directory ?? '', undefined) : parseOpenedPath(path ?? '', directory)
    const isProgram = call.name === 'execve' || call.name === 'execveat'
    if (!isProgram) {
      const isDirectory = /\bO_(DIRECTORY|PATH)\b/.test(argument.flags)
      const openedPath = pathOfDescriptor(call.result) ?? joinPath(directory, path)
      rememberDirectory(
        process.openDirectories,
        Number.parseInt(call.result, 10),
        isDirectory ? openedPath : undefined,
      )
    }
    if (line.kind === 'skipped') {
      const openedPath = pathOfDescriptor(call.result)
      return openedPath === undefined ? line : parseOpenedPath(openedPath, undefined)
    }
    if (!isProgram || line.kind !== 'entry') return line
    return isShellCommand(path ?? '', call.args.slice(1).join()) ? { ...line, isWrapper: true } : line
  }

  /** Applies a call that changes what relative paths mean. */
  #updateProcess(call: StraceCall, process: Process): void {
    const { workingDirectory } = process
    const [first = ''] = call.args
    const text = unquote(first)
    const path = text === NOT_UTF8 ? undefined : text
    if (call.name === 'chdir') workingDirectory.path = joinPath(workingDirectory.path, path)
    else if (call.name === 'fchdir') workingDirectory.path = this.#resolveDirectory(first, process)
    else if (call.name === 'getcwd') workingDirectory.path = path ?? workingDirectory.path
    else if (call.name === 'close') process.openDirectories.delete(Number.parseInt(first, 10))
    else if (FORKS.has(call.name)) this.#addChild(call, process)
  }

  #addChild({ args, result }: StraceCall, parent: Process): void {
    // In another PID namespace, strace sees the child under another pid than its parent does.
    const pid = (/\/\* (\d+) in strace's PID NS \*\//.exec(result) ?? /^(\d+)/.exec(result))?.[1] ?? ''
    const existing = this.#processes.get(pid)
    // Unless the child ran early, an existing process has exited and its pid is reused.
    if (existing?.isEarly) existing.isEarly = false
    else this.#addProcess(pid, childOf(parent, args.join()))
  }

  #resolveDirectory(argument: string, process: Process): string | undefined {
    const printedPath = pathOfDescriptor(argument)
    if (!isWorkingDirectory(argument)) {
      return printedPath ?? process.openDirectories.get(Number.parseInt(argument, 10))
    }
    if (printedPath !== undefined) process.workingDirectory.path = printedPath
    return process.workingDirectory.path
  }

  /**
   * Returns the process of a pid. An unknown process is a child of the process whose fork has not returned,
   * or the first process, whose lines have no pid until it has children.
   */
  #getProcess(pid: string): Process {
    const existing = this.#processes.get(pid)
    if (existing !== undefined) return existing
    if (this.#forking) {
      return this.#addProcess(pid, { ...childOf(this.#forking, this.#forking.unfinishedCall), isEarly: true })
    }
    const first = this.#processes.get('')
    if (first) {
      return this.#addProcess(pid, { ...childOf(first, ''), unfinishedCall: first.unfinishedCall })
    }
    return this.#addProcess(pid, {
      workingDirectory: { path: this.#initialDirectory },
      openDirectories: new Map(),
      unfinishedCall: '',
    })
  }

  #addProcess(pid: string, process: Process): Process {
    if (this.#processes.size >= MAX_PROCESSES) this.#processes.clear()
    this.#processes.set(pid, process)
    return process
  }
}

/** The path that a call opens; undefined for a call that opens nothing. */
function pathArgumentOf({ name, args }: StraceCall): PathArgument | undefined {
  const [first = '', second = ''] = args
  switch (name) {
    case 'open':
      return { path: unquote(first), directory: 'AT_FDCWD', flags: args.slice(1).join() }
    case 'execve':
      return { path: unquote(first), directory: 'AT_FDCWD', flags: '' }
    case 'creat':
      return { path: unquote(first), directory: 'AT_FDCWD', flags: 'O_CREAT|O_EXCL' }
    case 'openat':
    case 'openat2':
      return { path: unquote(second), directory: first, flags: args.slice(2).join() }
    case 'execveat':
      return { path: unquote(second), directory: first, flags: '' }
    default:
      return undefined
  }
}

/** O_CREAT|O_EXCL as printed by `-X raw`; the same number on all but the oldest architectures of Linux. */
const RAW_CREATE_EXCLUSIVE = 0o300

function createsFile(flags: string): boolean {
  const isRaw = /^0x[0-9a-f]+/.test(flags)
  if (isRaw && (Number.parseInt(flags, 16) & RAW_CREATE_EXCLUSIVE) === RAW_CREATE_EXCLUSIVE) return true
  return /\bO_TMPFILE\b/.test(flags) || (/\bO_CREAT\b/.test(flags) && /\bO_EXCL\b/.test(flags))
}

function hasFailed({ result }: StraceCall): boolean {
  return /^(?:-\d|\?)/.test(result)
}

function rememberDirectory(
  openDirectories: Map<number, string>,
  descriptor: number,
  path: string | undefined,
): void {
  if (path === undefined || openDirectories.size >= MAX_DIRECTORIES) openDirectories.delete(descriptor)
  else openDirectories.set(descriptor, path)
}

/** Joins a path to its directory; undefined if the directory is unknown or the result exceeds PATH_MAX. */
function joinPath(directory: string | undefined, path: string | undefined): string | undefined {
  if (path === undefined || path.startsWith('/')) return path
  const joined = directory === undefined ? undefined : `${directory}/${path}`
  return joined !== undefined && joined.length <= MAX_PATH_BYTES ? joined : undefined
}

/** Threads share directories and file descriptors; other children start with a copy (clone(2)). */
function childOf(parent: Process, flags: string): Process {
  return {
    workingDirectory: flags.includes('CLONE_FS') ? parent.workingDirectory : { ...parent.workingDirectory },
    openDirectories: flags.includes('CLONE_FILES') ? parent.openDirectories : new Map(parent.openDirectories),
    unfinishedCall: '',
  }
}
