import { WHITEOUT_PREFIX } from '../../rootfs/whiteouts.ts'
import { LayerError } from '../../tar/errors.ts'
import { type LayerLimits, limitExceeded } from '../../tar/limits.ts'
import { bytesOfName, nameOfBytes, quote } from '../../tar/names.ts'

/** The names of a layer that readers see otherwise than a container does, or that others may be taken for. JSON. */
export type UnreadableNames = {
  /** Entries whose names or link targets are no UTF-8. */
  readonly entries: number
  /** The names of the first of them, for people. */
  readonly shown: readonly string[]
  /** The names themselves, as far as they are odd, in base64; left out where they are very many. */
  readonly names?: readonly string[]
}

const MAX_SHOWN = 5
/** What is kept with a layer: 20,000 names of usual length. */
const MAX_KEPT_BYTES = 1 << 20
/** What a name takes in a map beside its text, which is there twice as UTF-16. */
const NAME_BYTES = 100

/**
 * Collects the odd names of a layer. A table of contents is JSON, in which every byte that is no UTF-8 becomes U+FFFD: names
 * that differ in such bytes alone are one name to readers, and all but one of their files are lost.
 */
export class UnreadableNameCollector {
  readonly #limits: Pick<LayerLimits, 'maxIndexBytes'>
  readonly #lookAlikes = new LookAlikes()
  readonly #shown: string[] = []
  #entries = 0

  constructor(limits: Pick<LayerLimits, 'maxIndexBytes'>) {
    this.#limits = limits
  }

  /** @throws LayerError UNSUPPORTED_ENTRY, LIMIT_EXCEEDED */
  take(name: string, linkName: string | undefined): void {
    if (!name.isWellFormed() || linkName?.isWellFormed() === false) {
      this.#entries += 1
      if (this.#shown.length < MAX_SHOWN) this.#shown.push(quote(name))
    }
    for (const part of oddParts(name)) this.#lookAlikes.add(part)
    if (this.#lookAlikes.bytes > this.#limits.maxIndexBytes) {
      throw limitExceeded(
        this.#limits,
        'maxIndexBytes',
        'the names of the layer that are no UTF-8 take too many bytes',
      )
    }
  }

  /** Undefined where there are none. */
  finish(): UnreadableNames | undefined {
    const { names, bytes } = this.#lookAlikes
    if (this.#entries === 0 && names.length === 0) return undefined
    const kept = bytes <= MAX_KEPT_BYTES && names.map((name) => bytesOfName(name).toString('base64'))
    return { entries: this.#entries, shown: this.#shown, ...(kept && { names: kept }) }
  }
}

/**
 * Checks that no names of an image's layers are one to readers.
 * @throws LayerError UNSUPPORTED_ENTRY
 */
export function assertReadableNames(layers: readonly (UnreadableNames | undefined)[]): void {
  const lookAlikes = new LookAlikes()
  const odd = layers.filter((layer) => layer !== undefined)
  for (const { names, shown } of odd) {
    if (names === undefined && odd.length > 1) throw tooMany(shown)
    for (const name of names ?? []) lookAlikes.add(nameOfBytes(Buffer.from(name, 'base64')))
  }
}

/** Names by what readers see in their places. */
class LookAlikes {
  readonly #names = new Map<string, string>()
  bytes = 0

  get names(): string[] {
    return [...this.#names.values()]
  }

  /** @throws LayerError UNSUPPORTED_ENTRY where another name is the same to readers */
  add(name: string): void {
    const seen = name.toWellFormed()
    const other = this.#names.get(seen)
    if (other === name) return
    if (other !== undefined) throw lookAlike(other, name)
    this.#names.set(seen, name)
    this.bytes += 4 * name.length + NAME_BYTES
  }
}

/** The name up to each of its parts that others may be taken for. That of a whiteout is the one that it takes away. */
function* oddParts(name: string): Generator<string, void, void> {
  if (isPlain(name)) return
  let start = 0
  for (let end = 0; end < name.length; start = end + 1) {
    const slash = name.indexOf('/', start)
    end = slash === -1 ? name.length : slash
    const part = name.slice(start, end)
    if (isPlain(part)) continue
    const isMark = slash === -1 && part.startsWith(WHITEOUT_PREFIX)
    yield name.slice(0, start) + (isMark ? part.slice(WHITEOUT_PREFIX.length) : part)
  }
}

function isPlain(text: string): boolean {
  return text.isWellFormed() && !text.includes('\ufffd')
}

function lookAlike(one: string, other: string): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `${quote(one)} and ${quote(other)} are one name to lazy readers, as a table of contents cannot hold bytes that are no UTF-8: one file would be lost; rename one, or leave the layer as it is`,
    { entry: other },
  )
}

function tooMany(shown: readonly string[]): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `several layers have names that are no UTF-8, one of them too many to tell whether they are those of others to lazy readers: ${shown.join(', ')} and more; rename them, or leave the layer as it is`,
  )
}
