import { KeyedMutex } from '../../concurrency/keyed-mutex.ts'
import { Tally } from './tally.ts'

/** What a repository takes besides its files: folders, and the files that describe it. Counts for the quota. */
export const REPOSITORY_BYTES = 4096
/** What an entry in `index.json` takes at most: two sha512 digests, a media type and a tag. */
export const MAX_ENTRY_BYTES = 1024

/** What a repository stores on disk, and the project that it belongs to. */
export type Measurement = { readonly project: string; readonly bytes: number }

type Source = {
  list(): Promise<readonly string[]>
  /** Undefined for a repository that is being created: it has no blobs yet. */
  measure(repository: string): Promise<Measurement | undefined>
  /** The size of a file; undefined if it does not exist. */
  fileSize(path: string): Promise<number | undefined>
}

/**
 * The bytes of each project's repositories: all blobs and the lists of manifests, and {@link REPOSITORY_BYTES} each. The
 * disk is the truth: a repository is measured once, before its first change or when a project's bytes are needed, and
 * every change is added from then on. A blob that is mounted into another repository counts in both.
 */
export class StoredBytes {
  readonly #source: Source
  readonly #tally = new Tally()
  readonly #projects = new Map<string, Promise<string | undefined>>()
  readonly #locks = new KeyedMutex()
  #measuringAll: Promise<void> | undefined

  constructor(source: Source) {
    this.#source = source
  }

  /** Measures what was not yet, so that {@link of} is complete. */
  async measureAll(): Promise<void> {
    this.#measuringAll ??= this.#measureEach().catch((error: unknown) => {
      this.#measuringAll = undefined
      throw error
    })
    await this.#measuringAll
  }

  /** The bytes of a project, in what was measured. */
  of(project: string): number {
    return this.#tally.of(project)
  }

  /**
   * Runs an action that may add, replace or remove one file, and counts the difference.
   * @param onCounted runs in the same step as the count, and gives back what was reserved or counted for these bytes
   */
  async change<Result>(
    repository: string,
    path: string,
    act: () => Promise<Result>,
    onCounted?: () => void,
  ): Promise<Result> {
    const project = await this.#projectOf(repository)
    return this.#locks.run(path, async () => {
      const before = (await this.#source.fileSize(path)) ?? 0
      let isDone = false
      try {
        const result = await act()
        isDone = true
        return result
      } finally {
        const after = (await this.#source.fileSize(path)) ?? 0
        if (project !== undefined) this.#tally.add(project, after - before)
        if (isDone) onCounted?.()
      }
    })
  }

  async #measureEach(): Promise<void> {
    for (const repository of await this.#source.list()) await this.#projectOf(repository)
  }

  #projectOf(repository: string): Promise<string | undefined> {
    const known = this.#projects.get(repository)
    if (known) return known
    const measuring = this.#measure(repository)
    this.#projects.set(repository, measuring)
    return measuring
  }

  async #measure(repository: string): Promise<string | undefined> {
    try {
      const measured = await this.#source.measure(repository)
      if (measured) this.#tally.add(measured.project, measured.bytes)
      else this.#projects.delete(repository)
      return measured?.project
    } catch (error) {
      this.#projects.delete(repository)
      throw error
    }
  }
}
