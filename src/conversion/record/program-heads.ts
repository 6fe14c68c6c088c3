import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import { ArchiveIndex } from '../../estargz/index/archive-index.ts'
import { interpreterInHead } from '../../estargz/index/program-head.ts'
import { layerCompression } from '../../oci/media-types.ts'
import { type EntryRef, entryRefKey } from '../../rootfs/path-walk.ts'
import type { ListedLayer } from '../source/listed-layer.ts'
import type { ComparisonTarget } from './profiled-image.ts'

/** Programs of one image whose first bytes are asked for. */
const MAX_HEADS = 64
const HEADS_AT_ONCE = 8
/** Of a member: what tells the interpreter of most programs. zstd is decoded in blocks of up to 128 KiB (RFC 8878). */
const RANGE_BYTES = { none: 0, gzip: 32 * 1024, zstd: 160 * 1024 }
/** Of one that the program shares with others before it. */
const SHARED_RANGE_BYTES = 2 ** 20

/**
 * Finds the interpreters of programs whose layers were listed, and not read, by asking for the first bytes of each. What of it
 * fails is not known then.
 */
export class ProgramHeads {
  layers: readonly ListedLayer[]
  readonly #against: ComparisonTarget
  readonly #asked = new Set<string>()
  readonly #indexes = new Map<number, ArchiveIndex>()

  constructor(against: ComparisonTarget) {
    this.#against = against
    this.layers = against.layers
  }

  /** Asks for the heads of programs. Whether anything new is known. */
  async read(unread: readonly EntryRef[], signal: AbortSignal): Promise<boolean> {
    const places = this.#toAsk(unread)
    if (places.length === 0) return false
    const read = await allOrAbort(
      places,
      signal,
      async (place, _, either) => ({ place, interpreter: await this.#interpreterOf(place, either) }),
      HEADS_AT_ONCE,
    )
    const known = read.filter((one) => one.interpreter !== undefined)
    this.layers = this.layers.map((layer, i) => {
      const here = known.filter(({ place }) => place.layer === i)
      if (here.length === 0) return layer
      const found = here.map(({ place, interpreter = '' }): [number, string] => [place.entry, interpreter])
      return { ...layer, interpreters: new Map([...(layer.interpreters ?? []), ...found]) }
    })
    return known.length > 0
  }

  /** Libraries have execute bits, too, and hardly ever an interpreter: they come last. */
  #toAsk(unread: readonly EntryRef[]): EntryRef[] {
    const room = MAX_HEADS - this.#asked.size
    if (room === 0) return []
    const programs: EntryRef[] = []
    const libraries: EntryRef[] = []
    for (const place of unread) {
      if (this.#asked.has(entryRefKey(place))) continue
      const isLibrary = /\.so(?:\.|$)/.test(this.#indexOf(place)?.name(place.entry) ?? '')
      const those = isLibrary ? libraries : programs
      if (those.length < room) those.push(place)
      if (programs.length === room) break
    }
    const places = [...programs, ...libraries].slice(0, room)
    for (const place of places) this.#asked.add(entryRefKey(place))
    return places
  }

  #indexOf({ layer }: EntryRef): ArchiveIndex | undefined {
    const known = this.#indexes.get(layer)
    if (known) return known
    const listed = this.layers[layer]
    const index = listed && new ArchiveIndex(listed.columns)
    if (index) this.#indexes.set(layer, index)
    return index
  }

  /** `''` for a program without an interpreter; undefined where it cannot be told. */
  async #interpreterOf(place: EntryRef, signal: AbortSignal): Promise<string | undefined> {
    const descriptor = this.#against.image.manifest.layers[place.layer]
    const chunk = this.#indexOf(place)?.chunks(place.entry)[0]
    if (descriptor === undefined || chunk === undefined) return undefined
    const { offset, length, innerOffset } = chunk
    try {
      const packing = layerCompression(descriptor.mediaType) ?? 'none'
      const most = innerOffset > 0 ? SHARED_RANGE_BYTES : RANGE_BYTES[packing]
      const end = Math.min(offset + Math.min(length, most), descriptor.size)
      const bytes = await this.#against.opened.repository.blobRange(descriptor, offset, end, { signal })
      return await interpreterInHead(bytes, innerOffset)
    } catch {
      signal.throwIfAborted()
      return undefined
    }
  }
}
