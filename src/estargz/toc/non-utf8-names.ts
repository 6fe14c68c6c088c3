import { WHITEOUT_PREFIX } from '../../rootfs/whiteouts.ts'
import { LayerError } from '../../tar/layer-error.ts'
import { type LayerLimits, limitExceededError } from '../../tar/layer-limits.ts'
import { decodeName, encodeName, quoteName } from '../../tar/names.ts'

/**
 * Names of a layer that lazy readers show differently than containers, or may confuse with others: names that
 * are not UTF-8 or contain U+FFFD. Cached as JSON.
 */
export type NonUtf8Names = {
  /** The number of entries whose name or link target is not UTF-8. */
  readonly entries: number
  /** The first of their names, quoted for messages. */
  readonly shown: readonly string[]
  /** The ambiguous parts of names, in base64; omitted if they take more than 1 MiB. */
  readonly names?: readonly string[]
}

const MAX_SHOWN = 5
/** The maximum size stored with a layer: 20,000 names of usual length. */
const MAX_STORED_BYTES = 1 << 20
/** Memory per name in a map, without its text, which is stored twice as UTF-16. */
const NAME_BYTES = 100

/**
 * Collects the ambiguous names of a layer. A table of contents is JSON, in which every byte that is not UTF-8
 * becomes U+FFFD: readers see names that differ only in such bytes as one, and lose all but one of their
 * files.
 */
export class NonUtf8NameCollector {
  readonly #limits: Pick<LayerLimits, 'maxIndexBytes'>
  readonly #readerNames = new ReaderNames()
  readonly #shown: string[] = []
  #entries = 0

  constructor(limits: Pick<LayerLimits, 'maxIndexBytes'>) {
    this.#limits = limits
  }

  /** @throws LayerError UNSUPPORTED_ENTRY, LIMIT_EXCEEDED */
  add(name: string, linkName: string | undefined): void {
    if (!name.isWellFormed() || linkName?.isWellFormed() === false) {
      this.#entries += 1
      if (this.#shown.length < MAX_SHOWN) this.#shown.push(quoteName(name))
    }
    for (const path of ambiguousPaths(name)) this.#readerNames.add(path)
    if (this.#readerNames.bytes > this.#limits.maxIndexBytes) {
      throw limitExceededError(
        this.#limits,
        'maxIndexBytes',
        'the names of the layer that are not UTF-8 take too many bytes',
      )
    }
  }

  /** Returns the collected names; undefined if there are none. */
  finish(): NonUtf8Names | undefined {
    const { names, bytes } = this.#readerNames
    if (this.#entries === 0 && names.length === 0) return undefined
    const stored = bytes <= MAX_STORED_BYTES && names.map((name) => encodeName(name).toString('base64'))
    return { entries: this.#entries, shown: this.#shown, ...(stored && { names: stored }) }
  }
}

/**
 * Asserts that readers can distinguish all names of an image's layers.
 * @throws LayerError UNSUPPORTED_ENTRY
 */
export function assertDistinctNames(layers: readonly (NonUtf8Names | undefined)[]): void {
  const readerNames = new ReaderNames()
  const ambiguous = layers.filter((layer) => layer !== undefined)
  for (const { names, shown } of ambiguous) {
    if (names === undefined && ambiguous.length > 1) throw tooManyNames(shown)
    for (const name of names ?? []) readerNames.add(decodeName(Buffer.from(name, 'base64')))
  }
}

/** Ambiguous names by what readers show for them. */
class ReaderNames {
  readonly #names = new Map<string, string>()
  bytes = 0

  get names(): string[] {
    return [...this.#names.values()]
  }

  /** @throws LayerError UNSUPPORTED_ENTRY if readers show another name the same way */
  add(name: string): void {
    const readerName = name.toWellFormed()
    const existing = this.#names.get(readerName)
    if (existing === name) return
    if (existing !== undefined) throw indistinguishable(existing, name)
    this.#names.set(readerName, name)
    this.bytes += 4 * name.length + NAME_BYTES
  }
}

/**
 * Yields the path up to each ambiguous component of a name. For a whiteout that is the name that it removes.
 */
function* ambiguousPaths(name: string): Generator<string, void, void> {
  if (isUnambiguous(name)) return
  let start = 0
  for (let end = 0; end < name.length; start = end + 1) {
    const slash = name.indexOf('/', start)
    end = slash === -1 ? name.length : slash
    const component = name.slice(start, end)
    if (isUnambiguous(component)) continue
    const isWhiteout = slash === -1 && component.startsWith(WHITEOUT_PREFIX)
    yield name.slice(0, start) + (isWhiteout ? component.slice(WHITEOUT_PREFIX.length) : component)
  }
}

function isUnambiguous(text: string): boolean {
  return text.isWellFormed() && !text.includes('\ufffd')
}

function indistinguishable(first: string, second: string): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `lazy readers cannot distinguish ${quoteName(first)} and ${quoteName(second)}, because a table of contents cannot hold bytes that are not UTF-8, and would lose one of the files; rename one of them or do not convert the layer`,
    { entry: second },
  )
}

function tooManyNames(shown: readonly string[]): LayerError {
  return new LayerError(
    'UNSUPPORTED_ENTRY',
    `several layers have names that are not UTF-8, and one has too many of them to check that lazy readers can distinguish them from those of other layers: ${shown.join(', ')} and more; rename them or do not convert the layer`,
  )
}
