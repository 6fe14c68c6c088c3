import type { TarEntry } from '../../tar/header.ts'
import type { LayerLimits } from '../../tar/limits.ts'
import { type TarEvent, TarScanner } from '../../tar/scanner.ts'
import type { AddedDirectory } from './added-directories.ts'
import type { IndexColumns } from './archive-index.ts'
import { Column } from './columns.ts'
import { ContentHash } from './content-hash.ts'
import { IndexBuilder } from './index-builder.ts'
import { InterpreterScan, isProgram } from './interpreter.ts'

/** The archive of a layer. It crosses between threads without copies, as its columns lie in shared memory. */
export type LayerTree = {
  /** Of an ArchiveIndex. */
  readonly columns: IndexColumns
  /** When each entry was changed, which the index has to the second; not a number where its table of contents has no time. */
  readonly seconds: Float64Array
  readonly nanoseconds: Uint32Array
  /** Directories that its table of contents has beside the archive. */
  readonly added?: readonly AddedDirectory[]
}

/** Lists an archive that goes by. */
export class TreeLister {
  readonly #index: IndexBuilder
  readonly #seconds = new Column(Float64Array)
  readonly #nanoseconds = new Column(Uint32Array)

  constructor(limits: LayerLimits) {
    this.#index = new IndexBuilder(limits)
  }

  /** How many entries there are so far. */
  get length(): number {
    return this.#seconds.length
  }

  /** The next entry. */
  entry(entry: TarEntry): void {
    this.#index.entry(entry, { start: 0, length: 0 })
    this.#seconds.push(entry.mtime.seconds)
    this.#nanoseconds.push(entry.mtime.nanoseconds)
  }

  /** The kernel opens this file to run it. */
  interpreter(path: string): void {
    this.#index.interpreter(path)
  }

  /** The digest of its content, where it has any: 32 bytes. */
  content(digest: Uint8Array): void {
    this.#index.file(digest)
  }

  finish(): LayerTree {
    const { columns } = this.#index.finishArchive()
    return { columns, seconds: this.#seconds.finish(), nanoseconds: this.#nanoseconds.finish() }
  }
}

/** Lists a layer's archive. @throws LayerError */
export async function listTree(plain: AsyncIterable<Buffer>, limits: LayerLimits): Promise<LayerTree> {
  const lister = new TreeLister(limits)
  const scanner = new TarScanner(limits)
  let hash: ContentHash | undefined
  let scan: InterpreterScan | undefined
  const endScan = () => {
    const interpreter = scan?.end()
    scan = undefined
    if (interpreter !== undefined) lister.interpreter(interpreter)
  }
  const take = (event: TarEvent) => {
    if (event.kind === 'entry') {
      lister.entry(event.entry)
      const { size, type, mode } = event.entry
      hash = size > 0 ? new ContentHash(size) : undefined
      scan = hash && isProgram(type, mode) ? new InterpreterScan() : undefined
    } else if (event.kind === 'content') {
      hash?.add(event.bytes)
      if (scan && !scan.push(event.bytes)) endScan()
    } else if (event.kind === 'end' && hash) {
      endScan()
      lister.content(hash.closeChunk())
    }
  }
  for await (const piece of plain) for (const event of scanner.push(piece)) take(event)
  for (const event of scanner.end()) take(event)
  return lister.finish()
}
