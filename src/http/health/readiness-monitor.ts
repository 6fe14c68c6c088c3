import type { Services } from '../services.ts'
import { BackgroundCheck } from './background-check.ts'
import { checkView, type Readiness, storageView, workersView } from './view.ts'

const REGISTRY_INTERVAL_MS = 5_000
/** For the database and the disk, which are cheap to check. */
const LOCAL_INTERVAL_MS = 500

/**
 * Checks in the background what the broker depends on: the database and its workers, the disk, the backing
 * registry.
 */
export class ReadinessMonitor {
  /** Counting workers also shows whether the database responds. */
  readonly #workers: BackgroundCheck<number>
  readonly #freeSpace: BackgroundCheck<boolean>
  readonly #registry: BackgroundCheck<void>

  constructor({
    workers,
    checkRegistry,
    hasFreeSpace,
  }: Pick<Services, 'workers' | 'checkRegistry' | 'hasFreeSpace'>) {
    this.#workers = new BackgroundCheck(() => workers.countRunning(), LOCAL_INTERVAL_MS)
    this.#freeSpace = new BackgroundCheck(hasFreeSpace, LOCAL_INTERVAL_MS)
    this.#registry = new BackgroundCheck(checkRegistry, REGISTRY_INTERVAL_MS)
  }

  /** Starts the checks of the database and the disk. Resolves when each has finished once. */
  async startLocalChecks(): Promise<void> {
    await Promise.all([this.#workers.start(), this.#freeSpace.start()])
  }

  startRegistryCheck(): void {
    void this.#registry.start()
  }

  stop(): void {
    for (const check of [this.#workers, this.#registry, this.#freeSpace]) check.stop()
  }

  async readiness(isStopping: boolean): Promise<Readiness> {
    const [workersResult, registryResult, freeSpaceResult] = await Promise.all([
      this.#workers.latest(),
      this.#registry.latest(),
      this.#freeSpace.latest(),
    ])
    const database = checkView(workersResult)
    const registry = checkView(registryResult)
    const storage = storageView(freeSpaceResult)
    const workers = workersView(workersResult)
    const isReady = workers.ok && registry.ok && storage.ok
    const isUnavailable = isStopping || !workersResult?.ok
    return {
      status: isUnavailable ? 'unavailable' : isReady ? 'ready' : 'degraded',
      database,
      registry,
      storage,
      workers,
    }
  }
}
