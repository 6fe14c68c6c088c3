import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import { ArchiveIndex } from '../../estargz/index/archive-index.ts'
import { findInterpreter } from '../../estargz/index/find-interpreter.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { type EntryRef, entryRefKey } from '../../rootfs/path-walk.ts'
import type { ListedLayer } from '../source/listed-layer.ts'
import type { ComparisonTarget } from './profiled-image-reader.ts'

/** The maximum number of programs of one image that are read. */
const MAX_PROGRAMS = 64
const MAX_CONCURRENT_READS = 8
/**
 * Compressed bytes to read of a member: enough for most interpreters. A zstd block has up to 128 KiB (RFC
 * 8878).
 */
const RANGE_BYTES = { none: 0, gzip: 32 * 1024, zstd: 160 * 1024 }
/** Compressed bytes to read of a member in which other files precede the program. */
const SHARED_RANGE_BYTES = 2 ** 20

/**
 * Finds the interpreters of programs in layers that were listed from their tables of contents, by reading the
 * first bytes of each program. An interpreter that cannot be read stays unknown.
 */
export class InterpreterReader {
  /** The layers with the interpreters that are known so far. */
  layers: readonly ListedLayer[]
  readonly #target: ComparisonTarget
  readonly #requested = new Set<string>()
  readonly #indexes = new Map<number, ArchiveIndex>()

  constructor(target: ComparisonTarget) {
    this.#target = target
    this.layers = target.layers
  }

  /** Reads the interpreters of programs. Returns whether `layers` has changed. */
  async read(programs: readonly EntryRef[], signal: AbortSignal): Promise<boolean> {
    const entries = this.#select(programs)
    if (entries.length === 0) return false
    const results = await allOrAbort(
      entries,
      signal,
      async (entry, _, taskSignal) => ({
        entry,
        interpreter: await this.#readInterpreter(entry, taskSignal),
      }),
      MAX_CONCURRENT_READS,
    )
    const resolved = results.filter((result) => result.interpreter !== undefined)
    this.layers = this.layers.map((layer, i) => {
      const inLayer = resolved
        .filter(({ entry }) => entry.layer === i)
        .map(({ entry, interpreter = '' }): [number, string] => [entry.entry, interpreter])
      if (inLayer.length === 0) return layer
      return { ...layer, interpreters: new Map([...(layer.interpreters ?? []), ...inLayer]) }
    })
    return resolved.length > 0
  }

  /**
   * Selects the programs to read. Libraries come last: they are executable, but hardly ever have an
   * interpreter.
   */
  #select(candidates: readonly EntryRef[]): EntryRef[] {
    const remaining = MAX_PROGRAMS - this.#requested.size
    if (remaining === 0) return []
    const programs: EntryRef[] = []
    const libraries: EntryRef[] = []
    for (const entry of candidates) {
      if (this.#requested.has(entryRefKey(entry))) continue
      const isLibrary = /\.so(?:\.|$)/.test(this.#indexOf(entry)?.name(entry.entry) ?? '')
      const group = isLibrary ? libraries : programs
      if (group.length < remaining) group.push(entry)
      if (programs.length === remaining) break
    }
    const selected = [...programs, ...libraries].slice(0, remaining)
    for (const entry of selected) this.#requested.add(entryRefKey(entry))
    return selected
  }

  #indexOf({ layer }: EntryRef): ArchiveIndex | undefined {
    const cached = this.#indexes.get(layer)
    if (cached) return cached
    const listed = this.layers[layer]
    const index = listed && new ArchiveIndex(listed.columns)
    if (index) this.#indexes.set(layer, index)
    return index
  }

  /** Returns `''` for a program without an interpreter, and undefined if the program cannot be read. */
  async #readInterpreter(entry: EntryRef, signal: AbortSignal): Promise<string | undefined> {
    const descriptor = this.#target.image.manifest.layers[entry.layer]
    const chunk = this.#indexOf(entry)?.chunks(entry.entry)[0]
    if (descriptor === undefined || chunk === undefined) return undefined
    const { offset, length, innerOffset } = chunk
    const compression = layerCompression(descriptor.mediaType) ?? 'none'
    const maxBytes = innerOffset > 0 ? SHARED_RANGE_BYTES : RANGE_BYTES[compression]
    const end = Math.min(offset + Math.min(length, maxBytes), descriptor.size)
    try {
      const bytes = await this.#target.opened.repository.readBlobRange(descriptor, offset, end, { signal })
      return await findInterpreter(bytes, innerOffset)
    } catch {
      signal.throwIfAborted()
      return undefined
    }
  }
}
