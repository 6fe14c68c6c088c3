import { KeyedMutex } from '../../concurrency/keyed-mutex.ts'
import type { ContentDigest } from '../content-digest.ts'

/** A sum of bytes for each project. */
export class ByteTally {
  readonly #bytes = new Map<string, number>()

  add(project: string, bytes: number): void {
    this.#bytes.set(project, this.of(project) + bytes)
  }

  of(project: string): number {
    return this.#bytes.get(project) ?? 0
  }
}

/** What a repository stores on disk, and the project that it belongs to. */
export type Measurement = { readonly project: string; readonly bytes: number }

type Source = {
  list(): Promise<readonly string[]>
  /** Undefined for a repository that is being created: it has no blobs yet. */
  measure(repository: string): Promise<Measurement | undefined>
  blobSize(repository: string, digest: ContentDigest): Promise<number | undefined>
}

/**
 * The bytes of all blobs of each project's repositories. The disk is the truth: a repository is measured once, before
 * its first change or when a project's bytes are needed, and every change is added from then on. A blob that is
 * mounted into another repository counts in both.
 */
export class StoredBytes {
  readonly #source: Source
  readonly #tally = new ByteTally()
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

  /** Runs an action that may add or remove one blob, and counts the difference. */
  async change<Result>(
    repository: string,
    digest: ContentDigest,
    act: () => Promise<Result>,
  ): Promise<Result> {
    const project = await this.#projectOf(repository)
    return this.#locks.run(`${repository} ${digest}`, async () => {
      const before = (await this.#source.blobSize(repository, digest)) ?? 0
      try {
        return await act()
      } finally {
        const after = (await this.#source.blobSize(repository, digest)) ?? 0
        if (project !== undefined) this.#tally.add(project, after - before)
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
