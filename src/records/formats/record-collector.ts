import { RecordError } from '../errors.ts'
import { isGlobPattern } from '../glob/glob.ts'
import { GlobSet } from '../glob/glob-set.ts'
import {
  MAX_RECORD_ENTRIES,
  MAX_RECORD_GLOBS,
  type ProfileNotes,
  type RecordEntry,
  type RecordLimits,
  type RemovedRoot,
  type SkippedAccesses,
  type SkipReason,
} from '../model.ts'
import { cleanRecordPath } from '../record-path.ts'
import { MAX_RECORD_STEPS } from '../record-step-budget.ts'
import { hostRootOf } from './host-roots.ts'
import { excerptOf, type Line } from './line-splitter.ts'
import { isPseudoPath, type ParsedLine } from './parsers/parsed-line.ts'
import { isWrapperName } from './parsers/wrappers.ts'

/** How the paths of a profile become entries. */
export type CollectOptions = Omit<RecordLimits, 'maxBytes'> & {
  /**
   * Absolute path of the container's root as seen by the profiler. If omitted, known roots of runtimes are
   * recognised.
   */
  readonly root?: string | undefined
  /** Globs of paths to exclude. */
  readonly exclude?: readonly string[] | undefined
}

const MAX_RELATIVE_PATHS = 20
const MAX_WARNINGS = 10
const MAX_ROOTS = 20
const MAX_PATH_CHARACTERS = 300
/** Wrappers are looked for among this many first entries. */
const WRAPPER_SEARCH_ENTRIES = 5

/** Collects the distinct entries of a profile, and counts the accesses that it skips. */
export class RecordCollector {
  readonly entries: RecordEntry[] = []
  readonly skipped: SkippedAccesses = {}
  /** The first line that the format does not have. */
  firstForeign: Line | undefined
  readonly #options: CollectOptions
  readonly #root: string | undefined
  readonly #excluded: GlobSet | undefined
  readonly #mayHaveHostPaths: boolean
  readonly #seenKeys = new Set<string>()
  readonly #roots = new Map<string, RemovedRoot & { pathCount: number }>()
  readonly #warnings: string[] = []
  readonly #wrappers = new Set<string>()
  #globs = 0
  /** The current run of foreign lines. */
  #foreignRun: { readonly first: Line; last: number } | undefined

  /**
   * @param mayHaveHostPaths whether paths may be those of the host: recorders inside a container see none
   * @throws RecordError INVALID_RECORD, GLOBS_TOO_COSTLY for the globs to exclude
   */
  constructor(options: CollectOptions, mayHaveHostPaths: boolean) {
    this.#options = options
    this.#mayHaveHostPaths = mayHaveHostPaths
    this.#root = options.root === undefined ? undefined : cleanRecordPath(options.root)
    const globs = (options.exclude ?? []).map(cleanExcludedGlob)
    if (globs.length > 0) this.#excluded = new GlobSet(globs, options.maxSteps ?? MAX_RECORD_STEPS)
  }

  addLine(parsed: ParsedLine, line: Line): void {
    if (parsed.kind === 'foreign') {
      this.#addForeignLine(line)
      return
    }
    this.#endForeignRun()
    if (parsed.kind === 'empty') return
    if (parsed.kind === 'skipped') this.countSkipped(parsed.reason, parsed.path)
    else if (line.flaw === 'encoding') this.countSkipped('encoding')
    else this.addEntry(parsed.entry, line.number, parsed.isWrapper)
  }

  /** @throws RecordError RECORD_TOO_LARGE, GLOBS_TOO_COSTLY */
  addEntry(entry: RecordEntry, line?: number, isWrapper = false): void {
    const path = this.#toContainerPath(entry)
    if (path === undefined) this.countSkipped('outside')
    else if (path === '') return
    else if (!entry.glob && isPseudoPath(path)) this.countSkipped('pseudo')
    // The text of a recorded glob is matched as if it were a path.
    else if (this.#excluded?.matches(path)) this.countSkipped('excluded')
    else this.#addDistinct(path === entry.path ? entry : { ...entry, path }, line, isWrapper)
  }

  countSkipped(reason: SkipReason, relativePath?: string): void {
    const { skipped } = this
    skipped[reason] = (skipped[reason] ?? 0) + 1
    if (relativePath === undefined) return
    skipped.relativePaths ??= []
    if (skipped.relativePaths.length < MAX_RELATIVE_PATHS) skipped.relativePaths.push(shorten(relativePath))
  }

  /** Counts lines that came before the others and were not read. */
  addUnreadLines(first: Line, last: number): void {
    this.skipped.foreign = (this.skipped.foreign ?? 0) + last - first.number + 1
    this.#warnings.unshift(
      `lines ${first.number} to ${last} came before the first line that shows the format and were not read; name the format with format=`,
    )
  }

  buildNotes(): ProfileNotes {
    this.#endForeignRun()
    const roots = [...this.#roots.values()]
    const warnings = [...this.#warnings]
    for (const path of this.#wrappers) {
      warnings.push(
        `${path} looks like a wrapper that was traced together with the program; exclude=${path} excludes this file, but not the files that it opened`,
      )
    }
    const { relative, relativePaths = [] } = this.skipped
    if (relative !== undefined) {
      warnings.push(
        `${relative} relative paths were skipped, the first: ${excerptOf(relativePaths[0] ?? '')}; set workingDirectory= to the directory in which the program started, or log directories with strace -y`,
      )
    }
    return { ...(roots.length > 0 && { roots }), ...(warnings.length > 0 && { warnings }) }
  }

  /** Describes the skipped accesses for the end of an error message. */
  describeSkipped(): string {
    const counts = Object.entries(this.skipped).filter(([, count]) => typeof count === 'number')
    if (counts.length === 0) return ''
    return `; skipped: ${counts.map(([reason, count]) => `${count} ${reason}`).join(', ')}`
  }

  /**
   * Returns the path relative to the container's root; undefined if it is outside of the root that was named.
   */
  #toContainerPath({ path, manifestDigest, layerIndex }: RecordEntry): string | undefined {
    if (this.#root !== undefined && this.#root !== '') {
      if (path !== this.#root && !path.startsWith(`${this.#root}/`)) return undefined
      this.#countRoot(this.#root)
      return path.slice(this.#root.length + 1)
    }
    if (!this.#mayHaveHostPaths || manifestDigest !== undefined || layerIndex !== undefined) return path
    const root = hostRootOf(path)
    if (root === undefined) return path
    this.#countRoot(root)
    return path.slice(root.length + 1)
  }

  #countRoot(path: string): void {
    const root = `/${path}`
    const counted = this.#roots.get(root)
    if (counted) counted.pathCount += 1
    else if (this.#roots.size < MAX_ROOTS) this.#roots.set(root, { root: shorten(root), pathCount: 1 })
  }

  #addDistinct(entry: RecordEntry, line: number | undefined, isWrapper: boolean): void {
    const { maxEntries = MAX_RECORD_ENTRIES, maxGlobs = MAX_RECORD_GLOBS } = this.#options
    const key = `${entry.glob ? '*' : ''}/${entry.path}\0${entry.manifestDigest ?? ''}\0${entry.layerIndex ?? ''}`
    if (this.#seenKeys.has(key)) {
      this.countSkipped('repeated')
      return
    }
    if (this.entries.length >= maxEntries) throw tooManyError(maxEntries, 'entries', line)
    if (entry.glob && ++this.#globs > maxGlobs) throw tooManyError(maxGlobs, 'globs', line)
    const isEarly = this.entries.length < WRAPPER_SEARCH_ENTRIES
    if (!entry.glob && isEarly && (isWrapper || isWrapperName(entry.path))) {
      this.#wrappers.add(shorten(`/${entry.path}`))
    }
    this.#seenKeys.add(key)
    this.entries.push(entry)
  }

  #addForeignLine(line: Line): void {
    this.countSkipped('foreign')
    this.firstForeign ??= line
    if (this.#foreignRun) this.#foreignRun.last = line.number
    else this.#foreignRun = { first: line, last: line.number }
  }

  /** Adds one warning for consecutive foreign lines. */
  #endForeignRun(): void {
    const run = this.#foreignRun
    if (run === undefined) return
    this.#foreignRun = undefined
    if (this.#warnings.length >= MAX_WARNINGS) return
    const { first, last } = run
    const subject =
      first.number === last
        ? `line ${last} is not a line of this format and was`
        : `lines ${first.number} to ${last} are not lines of this format and were`
    this.#warnings.push(`${subject} skipped; the first one: ${excerptOf(first.text)}`)
  }
}

/** Keeps notes short: they are returned with every record of a list. */
function shorten(path: string): string {
  return path.length > MAX_PATH_CHARACTERS ? `${path.slice(0, MAX_PATH_CHARACTERS).toWellFormed()}…` : path
}

function cleanExcludedGlob(pattern: string): string {
  const clean = cleanRecordPath(pattern)
  if (!isGlobPattern(clean)) {
    throw new RecordError('INVALID_RECORD', `exclude: ${pattern} is not a valid glob`)
  }
  return clean
}

function tooManyError(max: number, counted: 'entries' | 'globs', line: number | undefined): RecordError {
  const setting = `RECORD_BROKER_MAX_RECORD_${counted.toUpperCase()}`
  const message = `the record has more than ${max} distinct ${counted}; raise ${setting}`
  return new RecordError('RECORD_TOO_LARGE', message, line)
}
