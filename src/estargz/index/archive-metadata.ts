import type { TarEntry } from '../../tar/header.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import { type TarEvent, TarScanner } from '../../tar/tar-scanner.ts'
import type { AddedDirectory } from './added-directories.ts'
import { Column } from './columns.ts'
import { FileHasher } from './file-hasher.ts'
import { IndexBuilder } from './index-builder.ts'
import type { IndexColumns } from './index-columns.ts'
import { InterpreterScanner, isProgram } from './interpreter-scanner.ts'

/**
 * The metadata of a layer's archive. Threads pass it on without copying, as its columns are in shared memory.
 */
export type ArchiveMetadata = {
  /** The columns of an ArchiveIndex. */
  readonly columns: IndexColumns
  /**
   * The exact modification time of each entry, which the index rounds to the second. The seconds are NaN if
   * the table of contents lists no time.
   */
  readonly modSeconds: Float64Array
  readonly modNanoseconds: Uint32Array
  /** Directories that the table of contents lists although they are not in the archive. */
  readonly tocOnlyDirectories?: readonly AddedDirectory[]
}

/** Collects the metadata of an archive as it is scanned. */
export class ArchiveMetadataBuilder {
  readonly #index: IndexBuilder
  readonly #modSeconds = new Column(Float64Array)
  readonly #modNanoseconds = new Column(Uint32Array)

  constructor(limits: LayerLimits) {
    this.#index = new IndexBuilder(limits)
  }

  /** The number of entries so far. */
  get length(): number {
    return this.#modSeconds.length
  }

  addEntry(entry: TarEntry): void {
    this.#index.addEntry(entry, { start: 0, length: 0 })
    this.#modSeconds.push(entry.mtime.seconds)
    this.#modNanoseconds.push(entry.mtime.nanoseconds)
  }

  /** Sets the file that the kernel opens to run the current entry. */
  setInterpreter(path: string): void {
    this.#index.setInterpreter(path)
  }

  /** Adds the digest of the current entry's content: 32 bytes. Call only for entries with content. */
  addContentDigest(digest: Uint8Array): void {
    this.#index.addFileDigest(digest)
  }

  finish(): ArchiveMetadata {
    const { columns } = this.#index.finishArchive()
    return { columns, modSeconds: this.#modSeconds.finish(), modNanoseconds: this.#modNanoseconds.finish() }
  }
}

/** Reads the metadata of an uncompressed archive. @throws LayerError */
export async function readArchiveMetadata(
  uncompressed: AsyncIterable<Buffer>,
  limits: LayerLimits,
): Promise<ArchiveMetadata> {
  const metadata = new ArchiveMetadataBuilder(limits)
  const scanner = new TarScanner(limits)
  let hasher: FileHasher | undefined
  let interpreterScanner: InterpreterScanner | undefined
  const finishInterpreter = () => {
    const interpreter = interpreterScanner?.finish()
    interpreterScanner = undefined
    if (interpreter !== undefined) metadata.setInterpreter(interpreter)
  }
  const handle = (event: TarEvent) => {
    if (event.kind === 'entry') {
      metadata.addEntry(event.entry)
      const { size, type, mode } = event.entry
      hasher = size > 0 ? new FileHasher(size) : undefined
      interpreterScanner = hasher && isProgram(type, mode) ? new InterpreterScanner() : undefined
    } else if (event.kind === 'content') {
      hasher?.add(event.bytes)
      if (interpreterScanner && !interpreterScanner.push(event.bytes)) finishInterpreter()
    } else if (event.kind === 'end' && hasher) {
      finishInterpreter()
      metadata.addContentDigest(hasher.finishChunk())
    }
  }
  for await (const piece of uncompressed) for (const event of scanner.push(piece)) handle(event)
  for (const event of scanner.end()) handle(event)
  return metadata.finish()
}
