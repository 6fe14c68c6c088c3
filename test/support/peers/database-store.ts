import { runProgram } from '../run-program.ts'
import { buildGoProgram } from './build-go-program.ts'
import type { ContainerdEntry } from './containerd-layers.ts'

/** A path of a layer, with the digest of a file's content unless that is empty. */
export type StoredEntry = ContainerdEntry & { readonly digest?: string }

/** The metadata store of stargz-snapshotter that keeps its data in a database (`metadata_store = "db"`). */
export class DatabaseStore {
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  static async build(): Promise<DatabaseStore> {
    return new DatabaseStore(await buildGoProgram('database-store'))
  }

  /** Verifies the table of contents of a blob, reads every file, and returns all paths in order. */
  async read(blob: string, tocDigest: string): Promise<StoredEntry[]> {
    const lines = (await runProgram(this.#program, blob, tocDigest)).trim().split('\n')
    return lines.map((line) => JSON.parse(line))
  }
}
