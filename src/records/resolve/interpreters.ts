import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { MergedView } from '../../rootfs/merged-view.ts'
import { type EntryRef, entryRefKey } from '../../rootfs/path-walk.ts'
import { cleanRecordPath } from '../record-path.ts'
import type { AccessOrder } from './access-order.ts'
import { addOpened, contentOf } from './take-opened.ts'

/** As many as Linux follows: a script may name a script (fs/exec.c, exec_binprm). */
const MAX_STEPS = 4

/** A file that is read although no path names it, and what it was placed for. */
export type ImpliedFile = { readonly path: string; readonly by: string }

/**
 * The interpreters of programs: the kernel opens them without a system call, so that no log of calls has them. Each is placed
 * behind the program that needs it.
 */
export class Interpreters {
  readonly unread: EntryRef[] = []
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  readonly #order: AccessOrder
  /** Contents of programs that were followed. */
  readonly #followed = new Set<string>()
  readonly #implied = new Map<string, ImpliedFile>()

  constructor(view: MergedView, layers: readonly LayerListing[], order: AccessOrder) {
    this.#view = view
    this.#layers = layers
    this.#order = order
  }

  /**
   * Places what the kernel opens to run a program, and what that needs.
   * @param path names the program
   * @param content where its content is
   */
  follow(path: string, content: EntryRef): void {
    let at = content
    for (let step = 0; step < MAX_STEPS; step++) {
      const key = entryRefKey(at)
      if (this.#followed.has(key)) return
      this.#followed.add(key)
      const entry = this.#layers[at.layer]?.at(at.entry)
      if (entry?.isUnreadProgram) this.unread.push(at)
      const interpreter = entry?.interpreter
      // One that is relative depends on where the program is started.
      if (!interpreter?.startsWith('/')) return
      const opened = this.#view.open(cleanRecordPath(interpreter))
      if (!opened.found) return
      const place = addOpened(this.#view, this.#order, opened)
      if (place === undefined) return
      at = contentOf(this.#view, place)
      if (!this.#implied.has(entryRefKey(at))) {
        this.#implied.set(entryRefKey(at), { path: cleanRecordPath(interpreter), by: path })
      }
    }
  }

  /** The interpreters that are not there anyway. */
  notIn(recorded: Iterable<EntryRef>): ImpliedFile[] {
    const named = new Set(Array.from(recorded, entryRefKey))
    return [...this.#implied].flatMap(([key, file]) => (named.has(key) ? [] : [file]))
  }
}
