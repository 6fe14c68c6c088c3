import { BROKER_ACCESS, parseAccess } from '../access/caller-access.ts'
import type { UsedRegistries } from '../access/registries/project-registries.ts'
import type { CatalogueServices } from '../analysis/catalogue-analyses.ts'
import { CatalogueFeed } from '../catalogue/catalogue-feed.ts'
import { CheckQueue } from '../catalogue/check-queue.ts'
import { CatalogueRefresher } from '../catalogue/compare/catalogue-refresher.ts'
import { ConversionIndex } from '../catalogue/conversions/conversion-index.ts'
import { ImageRows } from '../catalogue/image-rows.ts'
import { ImageWriter } from '../catalogue/image-writer.ts'
import { KnownImages } from '../catalogue/known-images.ts'
import { RepositoryProjects } from '../catalogue/repository-projects.ts'
import { Backfill } from '../catalogue/scan/backfill.ts'
import { CatalogueUpdater } from '../catalogue/scan/catalogue-updater.ts'
import { KnownRepositories } from '../catalogue/scan/known-repositories.ts'
import type { ScanBounds } from '../catalogue/scan/scan-bounds.ts'
import { REGISTRY_SCAN } from '../catalogue/scan/scan-state.ts'
import { TermBackfill } from '../catalogue/scan/term-backfill.ts'
import type { Viewer } from '../catalogue/visible-catalogue.ts'
import { VisibleRepositories } from '../catalogue/visible-repositories.ts'
import type { Database } from '../db/database.ts'
import { DEFAULT_PROJECT } from '../db/project-scope.ts'
import { ScanProgress } from '../db/scan-progress.ts'
import type { RecordFinder } from '../records/images/record-finder.ts'
import type { RecordStore } from '../records/store.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { Backing } from './composition.ts'

/** Creates what adds this broker's own work to the catalogue. */
export function catalogueFeed(database: Database, { names }: Pick<RegistryClient, 'names'>): CatalogueFeed {
  return new CatalogueFeed({
    writer: new ImageWriter(database, names),
    conversions: new ConversionIndex(database, names),
    checks: new CheckQueue(database, names),
    projects: new RepositoryProjects(database, names),
  })
}

/** Lets another replica continue the scan of the registry at once. */
export function releaseScan(database: Database, owner: string): Promise<void> {
  return new ScanProgress(database, REGISTRY_SCAN, owner).release()
}

type CatalogueParts = {
  readonly database: Database
  readonly registries: RegistryClient
  readonly finder: RecordFinder
  readonly backing: Backing
  readonly bounds: ScanBounds
}

/** The registry whose images are compared. */
function backingOf({ registries, backing }: Pick<CatalogueParts, 'registries' | 'backing'>) {
  return {
    catalog: (signal: AbortSignal) => registries.listRepositories(backing.host, { signal }),
    backing,
  }
}

/** Creates what compares a part of the catalogue when a caller requests that, with the registries as it sees them. */
export function catalogueRefresher(parts: CatalogueParts & { readonly viewer: Viewer }): CatalogueRefresher {
  const { database, registries, finder, bounds, viewer } = parts
  const { names } = registries
  const visible = new VisibleRepositories(viewer.access.read, names)
  return new CatalogueRefresher({
    ...backingOf(parts),
    open: (location) => registries.repository(location),
    backingRepositoryOf: (image) => finder.backingRepositoryOf(image),
    writer: new ImageWriter(database, names),
    rows: new ImageRows(database, names),
    images: new KnownImages(database, names, visible),
    visible,
    projects: new RepositoryProjects(database, names),
    scope: viewer.projectScope,
    repositories: new KnownRepositories(database, names, bounds.maxRepositories),
    maxTags: bounds.maxTags,
    maxImages: bounds.maxImages,
  })
}

/** Creates what compares the catalogue with registries. */
export function catalogueServices({
  records,
  onProblem,
  useProject,
  ...parts
}: CatalogueParts & {
  readonly records: RecordStore
  /** The registries of a project; undefined if there is no such project. Default: every project has those of the broker. */
  readonly useProject?: (project: string) => Promise<UsedRegistries | undefined>
  readonly onProblem?: (error: unknown, message: string) => void
}): CatalogueServices {
  const { database, registries, bounds } = parts
  const { names } = registries
  const writer = new ImageWriter(database, names)
  const checks = new CheckQueue(database, names)
  const conversions = new ConversionIndex(database, names)
  const projects = new RepositoryProjects(database, names)
  const open = async (location: { host: string; repository: string }, project: string) => {
    // The broker itself reads nothing but its backing registry: elsewhere the rules of the default project count, too.
    const isBacking = names.preferred(location.host) === names.preferred(parts.backing.host)
    const used = project === DEFAULT_PROJECT && isBacking ? undefined : await useProject?.(project)
    return {
      source: (used?.client ?? registries).repository(location),
      [Symbol.asyncDispose]: async () => used?.[Symbol.asyncDispose](),
    }
  }
  return {
    feed: new CatalogueFeed({ writer, conversions, checks, projects }),
    refresher: catalogueRefresher({ ...parts, viewer: parseAccess(BROKER_ACCESS) }),
    updater: new CatalogueUpdater({
      ...backingOf(parts),
      open,
      projects,
      database,
      names,
      writer,
      checks,
      backfill: new Backfill({ database, writer, conversions, checks }),
      terms: new TermBackfill(database, { writer, conversions }),
      records,
      bounds,
      onProblem,
    }),
  }
}
