import { parseRepository } from '../../oci/reference.ts'
import { isBelowPrefix } from '../../records/images/record-finder.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { OpenedSource } from '../compare/registry-source.ts'
import { RepositoryComparer } from '../compare/repository-comparer.ts'
import type { ImageRows, KnownImage } from '../image-rows.ts'
import type { ImageWriter } from '../image-writer.ts'
import { type Location, splitLocation } from '../location.ts'
import type { KnownRepositories } from './known-repositories.ts'
import type { ScanBounds } from './scan-bounds.ts'
import type { ScanState } from './scan-state.ts'

const KNOWN_PER_PAGE = 50
const MAX_TAGS_PER_STEP = 50
/** How many seconds one step should take at most: the position is saved after each. */
const STEP_SECONDS = 5
const REPOSITORIES_PER_INSERT = 500

export type RegistryScanOptions = {
  readonly backing: { readonly host: string; readonly prefix: string }
  readonly open: (location: Location) => Promise<OpenedSource>
  /** Lists all repositories of the backing registry. */
  readonly catalog: (signal: AbortSignal) => AsyncIterable<string>
  readonly writer: ImageWriter
  readonly rows: ImageRows
  readonly repositories: KnownRepositories
  readonly bounds: ScanBounds
  readonly room: { images: number }
  /** After how many milliseconds a step ends that could continue. Default: five seconds. */
  readonly stepMs?: number
}

type ListedTags = {
  readonly location: string
  readonly startedAt: number
  readonly tags: readonly string[]
  /** Whether these are all tags. */
  readonly isComplete: boolean
}

/**
 * Compares the whole backing registry with the catalogue, step by step. A step takes seconds, and returns the
 * position from which any process can continue.
 */
export class RegistryScan {
  readonly #options: RegistryScanOptions
  /** The tags of the repository that is being compared. They are listed again after a restart. */
  #listed: ListedTags | undefined

  constructor(options: RegistryScanOptions) {
    this.#options = options
  }

  /** Does one step. @throws RegistryError */
  async step(state: ScanState, signal: AbortSignal): Promise<ScanState> {
    if (state.phase === 'idle') return { ...state, phase: 'catalogue', isPartial: false }
    if (state.phase === 'catalogue')
      return this.#listRepositories({ ...state, startedAt: Date.now() }, signal)
    if (state.repository) return this.#continueRepository(state, signal)
    const location = await this.#options.repositories.next(this.#options.backing.host, state.afterRepository)
    if (location !== undefined) {
      return { ...state, repository: { location, startedAt: Date.now() }, failures: 0 }
    }
    const comparedAt = state.isPartial ? state.comparedAt : state.startedAt
    return { ...withoutPosition(state), phase: 'idle', comparedAt }
  }

  /**
   * Returns the position behind the part of the registry that cannot be compared.
   * @param isRefusal whether the registry does not show it to this broker, and so has nothing to compare
   */
  skip(state: ScanState, isRefusal: boolean): ScanState {
    const isPartial = state.isPartial || !isRefusal
    if (!state.repository) return { ...withoutPosition(state), phase: 'repositories', isPartial }
    return { ...withoutPosition(state), afterRepository: state.repository.location, isPartial }
  }

  async #listRepositories(state: ScanState, signal: AbortSignal): Promise<ScanState> {
    const { backing, catalog, repositories, bounds } = this.#options
    await repositories.addThoseOfImages(backing.host)
    let batch: Location[] = []
    let count = 0
    let isPartial = false
    try {
      for await (const name of catalog(signal)) {
        if (count >= bounds.maxRepositories) {
          isPartial = true
          break
        }
        if (!isBelowPrefix(name, backing.prefix) || !isRepository(name)) continue
        count += 1
        batch.push({ host: backing.host, repository: name })
        if (batch.length < REPOSITORIES_PER_INSERT) continue
        await repositories.add(batch)
        batch = []
      }
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error
      // Many registries have no catalogue, and an endless one is compared as far as it was read.
      const isUsable = error.code === 'DENIED' || error.code === 'LIMIT_EXCEEDED'
      if (!isUsable) throw error
      isPartial = error.code === 'LIMIT_EXCEEDED'
    }
    await repositories.add(batch)
    return { ...withoutPosition(state), phase: 'repositories', isPartial }
  }

  async #continueRepository(state: ScanState, signal: AbortSignal): Promise<ScanState> {
    const { repository } = state
    if (!repository) return state
    const location = splitLocation(repository.location)
    const { open, writer, rows, room, bounds, stepMs = STEP_SECONDS * 1000 } = this.#options
    await using opened = await open(location)
    const comparer = new RepositoryComparer({
      source: opened.source,
      location,
      writer,
      rows,
      signal,
      concurrency: bounds.concurrency,
      room,
    })
    const { tags, isComplete } = await this.#listTags(repository, comparer)
    if (state.afterKnown === undefined) {
      const remaining = tags.filter((tag) => tag > (state.afterTag ?? ''))
      const parts = inParts(remaining.slice(0, this.#tagsPerStep()), bounds.concurrency)
      const done = await inTime(parts, stepMs, (part) => comparer.compareTags(part))
      const last = done.at(-1)?.at(-1)
      if (last !== remaining.at(-1)) return { ...state, afterTag: last, failures: 0 }
      return { ...state, afterTag: undefined, afterKnown: { tag: '', id: '' }, failures: 0 }
    }
    const known = await rows.page(location, state.afterKnown, this.#knownPerStep())
    const listed = new Set(tags)
    // Each of them may have many referrers.
    const done = await inTime(known, stepMs, (image) => comparer.compareKnown([image], listed, true))
    const last = done.at(-1)
    if (last) return { ...state, afterKnown: positionOf(last), failures: 0 }
    // A full catalogue may have left images out.
    if (isComplete && room.images > 0) return this.#finishRepository(state, location, repository.startedAt)
    this.#listed = undefined
    return this.skip(state, false)
  }

  async #finishRepository(state: ScanState, location: Location, startedAt: number): Promise<ScanState> {
    const { repositories, rows } = this.#options
    const [remaining] = await rows.page(location, undefined, 1)
    if (remaining) await repositories.markCompared(location, startedAt)
    else await repositories.remove(location)
    this.#listed = undefined
    return { ...withoutPosition(state), afterRepository: state.repository?.location }
  }

  async #listTags(
    { location, startedAt }: NonNullable<ScanState['repository']>,
    comparer: RepositoryComparer,
  ): Promise<ListedTags> {
    if (this.#listed?.location !== location || this.#listed.startedAt !== startedAt) {
      const { tags, isComplete } = (await comparer.listTags(this.#options.bounds.maxTags)) ?? {
        tags: [],
        isComplete: true,
      }
      this.#listed = { location, startedAt, tags, isComplete }
    }
    return this.#listed
  }

  #tagsPerStep(): number {
    const { requestsPerSecond } = this.#options.bounds
    return Math.max(1, Math.min(MAX_TAGS_PER_STEP, Math.floor(requestsPerSecond * STEP_SECONDS)))
  }

  #knownPerStep(): number {
    return Math.min(KNOWN_PER_PAGE, this.#tagsPerStep())
  }
}

/**
 * Does one thing after the other until a step has taken long enough, and at least one: how long each takes depends
 * on the registry. A step that is too long would be stopped, and its work lost.
 * @returns those that were done
 */
async function inTime<Item>(
  items: readonly Item[],
  ms: number,
  run: (item: Item) => Promise<void>,
): Promise<Item[]> {
  const deadline = performance.now() + ms
  const done: Item[] = []
  for (const item of items) {
    await run(item)
    done.push(item)
    if (performance.now() >= deadline) break
  }
  return done
}

function inParts<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) =>
    items.slice(n * size, (n + 1) * size),
  )
}

function withoutPosition(state: ScanState): ScanState {
  const {
    repository: _,
    afterRepository: __,
    afterTag: ___,
    afterKnown: ____,
    problem: _____,
    ...rest
  } = state
  return { ...rest, failures: 0 }
}

function positionOf({ tag, id }: KnownImage): { tag: string; id: string } {
  return { tag, id }
}

function isRepository(name: string): boolean {
  try {
    return parseRepository(name) === name
  } catch {
    return false
  }
}
