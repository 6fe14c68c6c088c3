import type { LayerListing } from '../../rootfs/layer-listing.ts'
import type { MergedView } from '../../rootfs/merged-view.ts'
import type { EntryRef } from '../../rootfs/path-walk.ts'
import { cleanRecordPath } from '../record-path.ts'
import type { AccessOrderBuilder } from './access-order-builder.ts'
import { addOpenedPath, contentRefOf } from './opened-path.ts'

/** The limit of Linux: the interpreter of a script may be a script (fs/exec.c, exec_binprm). */
const MAX_STEPS = 4

/** A file that no recorded path names, and the recorded program that needs it. */
export type ImpliedFile = { readonly path: string; readonly by: string }

/**
 * Places the interpreters of programs, each after the program that needs it. The kernel opens interpreters
 * without a system call, so logs of system calls do not contain them.
 */
export class InterpreterResolver {
  readonly unreadPrograms: EntryRef[] = []
  readonly #view: MergedView
  readonly #layers: readonly LayerListing[]
  readonly #order: AccessOrderBuilder
  /** The numbers of the entries whose interpreters were resolved. */
  readonly #resolved = new Set<number>()
  /** Implied files by the numbers of their entries. */
  readonly #implied = new Map<number, ImpliedFile>()

  constructor(view: MergedView, layers: readonly LayerListing[], order: AccessOrderBuilder) {
    this.#view = view
    this.#layers = layers
    this.#order = order
  }

  /**
   * Places the interpreter of a program, and the interpreter of that one.
   * @param path recorded path of the program
   * @param content entry with the content of the program
   */
  addInterpretersOf(path: string, content: EntryRef): void {
    let program = content
    for (let step = 0; step < MAX_STEPS; step++) {
      const number = this.#view.numberOf(program)
      if (this.#resolved.has(number)) return
      this.#resolved.add(number)
      const entry = this.#layers[program.layer]?.at(program.entry)
      if (entry?.isUnreadProgram) this.unreadPrograms.push(program)
      const interpreter = entry?.interpreter
      // A relative interpreter depends on the directory in which the program is started.
      if (!interpreter?.startsWith('/')) return
      const interpreterPath = cleanRecordPath(interpreter)
      const opened = this.#view.open(interpreterPath)
      if (opened.kind === 'not-found') return
      const ref = addOpenedPath(this.#view, this.#order, opened)
      if (ref === undefined) return
      program = contentRefOf(this.#view, ref)
      const interpreterNumber = this.#view.numberOf(program)
      if (!this.#implied.has(interpreterNumber)) {
        this.#implied.set(interpreterNumber, { path: interpreterPath, by: path })
      }
    }
  }

  /** Returns the interpreters that are not among the contents of recorded paths. */
  withoutRecorded(recorded: Iterable<EntryRef>): ImpliedFile[] {
    const implied = new Map(this.#implied)
    for (const ref of recorded) {
      if (implied.size === 0) break
      implied.delete(this.#view.numberOf(ref))
    }
    return [...implied.values()]
  }
}
