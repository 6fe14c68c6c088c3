import { isGlobPattern } from '../glob/glob.ts'
import { GlobSet } from '../glob/glob-set.ts'
import {
  MAX_RECORD_ENTRIES,
  MAX_RECORD_GLOBS,
  type ProfileNotes,
  type RecordEntry,
  RecordError,
  type RecordLimits,
  type RootCut,
  type Skipped,
  type SkipReason,
} from '../model.ts'
import { cleanRecordPath } from '../record-path.ts'
import { MAX_RECORD_STEPS } from '../step-budget.ts'
import { hostRootOf } from './host-roots.ts'
import { excerptOf, type Line } from './lines.ts'
import { type Found, isPseudoPath } from './parsers/parsed-line.ts'
import { isWrapperName } from './parsers/wrappers.ts'

/** What becomes of the paths of a profile before they are entries. */
export type CollectOptions = Omit<RecordLimits, 'maxBytes'> & {
  /** Absolute: the root of the container as the profiler saw it. Left out: known roots of runtimes are recognised. */
  readonly root?: string | undefined
  /** Globs of paths that are left out. */
  readonly exclude?: readonly string[] | undefined
}

const MAX_RELATIVE_PATHS = 20
const MAX_WARNINGS = 10
const MAX_ROOTS = 20
const MAX_CHARACTERS = 300
/** A wrapper is among the first that a profile shows. */
const WRAPPERS_AMONG_FIRST = 5

/** What a profile comes to: its entries, each once, and what was passed over. */
export class RecordCollector {
  readonly entries: RecordEntry[] = []
  readonly skipped: Skipped = {}
  readonly #options: CollectOptions
  readonly #root: string | undefined
  readonly #exclude: GlobSet | undefined
  /** Whether a path can be one of the host: recorders inside of a container see none. */
  readonly #mayBeHosts: boolean
  readonly #seen = new Set<string>()
  readonly #roots = new Map<string, RootCut & { paths: number }>()
  readonly #warnings: string[] = []
  readonly #wrappers = new Set<string>()
  #globs = 0
  #foreign: { readonly first: Line; last: number } | undefined
  /** The first line that the format has not. */
  firstForeign: Line | undefined

  constructor(options: CollectOptions, mayBeHosts: boolean) {
    this.#options = options
    this.#mayBeHosts = mayBeHosts
    this.#root = options.root === undefined ? undefined : cleanRecordPath(options.root)
    const globs = (options.exclude ?? []).map(excluding)
    if (globs.length > 0) this.#exclude = new GlobSet(globs, options.maxSteps ?? MAX_RECORD_STEPS)
  }

  /** Takes what a line says. */
  take(found: Found, line: Line): void {
    if (found === 'foreign') {
      this.#takeForeign(line)
      return
    }
    this.#endStretch()
    if (found === undefined) return
    if ('skipped' in found) this.skip(found.skipped, found.path)
    else if (line.flaw === 'encoding') this.skip('encoding')
    else this.add(found.entry, line.number, found.isWrapper)
  }

  add(entry: RecordEntry, line?: number, isWrapper = false): void {
    const path = this.#inContainer(entry)
    if (path === undefined) this.skip('outside')
    else if (path === '') return
    else if (!entry.glob && isPseudoPath(path)) this.skip('pseudo')
    // A glob is left out where it only matches what is.
    else if (this.#exclude?.matches(path)) this.skip('excluded')
    else this.#keep(path === entry.path ? entry : { ...entry, path }, line, isWrapper)
  }

  skip(why: SkipReason, path?: string): void {
    const { skipped } = this
    skipped[why] = (skipped[why] ?? 0) + 1
    if (path === undefined) return
    skipped.relativePaths ??= []
    if (skipped.relativePaths.length < MAX_RELATIVE_PATHS) skipped.relativePaths.push(shortened(path))
  }

  /** Lines before the others that were not read. */
  lose(first: Line, last: number): void {
    this.skipped.foreign = (this.skipped.foreign ?? 0) + last - first.number + 1
    this.#warnings.unshift(
      `lines ${first.number} to ${last} came before any line that shows the format, and were not read; name it with format=`,
    )
  }

  /** What whoever uploaded the profile should know of it. */
  notes(): ProfileNotes {
    this.#endStretch()
    const roots = [...this.#roots.values()]
    const warnings = [...this.#warnings]
    for (const path of this.#wrappers) {
      warnings.push(
        `${path} looks like a wrapper that was traced along with the program; exclude=${path} leaves this file out, what it opened stays`,
      )
    }
    const { relative, relativePaths = [] } = this.skipped
    if (relative !== undefined) {
      warnings.push(
        `${relative} relative paths were left out, the first: ${excerptOf(relativePaths[0] ?? '')}; workingDirectory= says where the program started, and strace -y logs directories`,
      )
    }
    return { ...(roots.length > 0 && { roots }), ...(warnings.length > 0 && { warnings }) }
  }

  /** What was passed over, for a message. */
  whatWasSkipped(): string {
    const counts = Object.entries(this.skipped).filter(([, count]) => typeof count === 'number')
    if (counts.length === 0) return ''
    return `; passed over: ${counts.map(([why, count]) => `${count} ${why}`).join(', ')}`
  }

  /** The path without the root of the container; undefined when it lies outside of the one that was named. */
  #inContainer({ path, manifestDigest, layerIndex }: RecordEntry): string | undefined {
    if (this.#root !== undefined && this.#root !== '') {
      if (path !== this.#root && !path.startsWith(`${this.#root}/`)) return undefined
      this.#countRoot(this.#root)
      return path.slice(this.#root.length + 1)
    }
    if (!this.#mayBeHosts || manifestDigest !== undefined || layerIndex !== undefined) return path
    const root = hostRootOf(path)
    if (root === undefined) return path
    this.#countRoot(root)
    return path.slice(root.length + 1)
  }

  #countRoot(path: string): void {
    const root = `/${path}`
    const known = this.#roots.get(root)
    if (known) known.paths += 1
    else if (this.#roots.size < MAX_ROOTS) this.#roots.set(root, { root: shortened(root), paths: 1 })
  }

  #keep(entry: RecordEntry, line: number | undefined, isWrapper: boolean): void {
    const { maxEntries = MAX_RECORD_ENTRIES, maxGlobs = MAX_RECORD_GLOBS } = this.#options
    const key = `${entry.glob ? '*' : ''}/${entry.path}\0${entry.manifestDigest ?? ''}\0${entry.layerIndex ?? ''}`
    if (this.#seen.has(key)) {
      this.skip('repeated')
      return
    }
    if (this.entries.length >= maxEntries) throw tooMany(maxEntries, 'entries', line)
    if (entry.glob && ++this.#globs > maxGlobs) throw tooMany(maxGlobs, 'globs', line)
    if (!entry.glob && this.entries.length < WRAPPERS_AMONG_FIRST && (isWrapper || isWrapperName(entry.path)))
      this.#wrappers.add(shortened(`/${entry.path}`))
    this.#seen.add(key)
    this.entries.push(entry)
  }

  #takeForeign(line: Line): void {
    this.skip('foreign')
    this.firstForeign ??= line
    if (this.#foreign) this.#foreign.last = line.number
    else this.#foreign = { first: line, last: line.number }
  }

  /** Warns of the lines without a meaning that came one after the other. */
  #endStretch(): void {
    const foreign = this.#foreign
    if (foreign === undefined) return
    this.#foreign = undefined
    if (this.#warnings.length >= MAX_WARNINGS) return
    const { first, last } = foreign
    const which = first.number === last ? `line ${last} is` : `lines ${first.number} to ${last} are`
    this.#warnings.push(
      `${which} of no known kind and passed over; the first of them: ${excerptOf(first.text)}`,
    )
  }
}

/** Notes are shown with each record of a list. */
function shortened(path: string): string {
  return path.length > MAX_CHARACTERS ? `${path.slice(0, MAX_CHARACTERS).toWellFormed()}…` : path
}

function excluding(pattern: string): string {
  const clean = cleanRecordPath(pattern)
  if (!isGlobPattern(clean)) throw new RecordError('INVALID_RECORD', `exclude: ${pattern} is no valid glob`)
  return clean
}

function tooMany(most: number, what: 'entries' | 'globs', line: number | undefined): RecordError {
  const setting = `RECORD_BROKER_MAX_RECORD_${what.toUpperCase()}`
  const message = `the record has more than ${most} different ${what}; ${setting} allows no more`
  return new RecordError('RECORD_TOO_LARGE', message, line)
}
