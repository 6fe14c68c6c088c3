import type { CatalogueServices } from '../analysis/catalogue-analyses.ts'
import { CatalogueFeed } from '../catalogue/catalogue-feed.ts'
import { CheckQueue } from '../catalogue/check-queue.ts'
import { CatalogueRefresher } from '../catalogue/compare/catalogue-refresher.ts'
import { ConversionIndex } from '../catalogue/conversion-index.ts'
import { ImageRows } from '../catalogue/image-rows.ts'
import { ImageWriter } from '../catalogue/image-writer.ts'
import { KnownImages } from '../catalogue/known-images.ts'
import { Backfill } from '../catalogue/scan/backfill.ts'
import { CatalogueUpdater } from '../catalogue/scan/catalogue-updater.ts'
import { KnownRepositories } from '../catalogue/scan/known-repositories.ts'
import type { ScanBounds } from '../catalogue/scan/scan-bounds.ts'
import { REGISTRY_SCAN } from '../catalogue/scan/scan-state.ts'
import type { Database } from '../db/database.ts'
import { ScanProgress } from '../db/scan-progress.ts'
import type { RecordFinder } from '../records/images/record-finder.ts'
import type { RecordStore } from '../records/store.ts'
import type { RegistryClient } from '../registry/client.ts'
import type { Backing } from './composition.ts'

/** Creates what adds this broker's own work to the catalogue. */
export function catalogueFeed(database: Database, { names }: Pick<RegistryClient, 'names'>): CatalogueFeed {
  const checks = new CheckQueue(database, names)
  return new CatalogueFeed(new ImageWriter(database, names), new ConversionIndex(database, names), checks)
}

/** Lets another replica continue the scan of the registry at once. */
export function releaseScan(database: Database, owner: string): Promise<void> {
  return new ScanProgress(database, REGISTRY_SCAN, owner).release()
}

/** Creates what compares the catalogue with registries. */
export function catalogueServices({
  database,
  registries,
  records,
  finder,
  backing,
  bounds,
  onProblem,
}: {
  readonly database: Database
  readonly registries: RegistryClient
  readonly records: RecordStore
  readonly finder: RecordFinder
  readonly backing: Backing
  readonly bounds: ScanBounds
  readonly onProblem?: (error: unknown, message: string) => void
}): CatalogueServices {
  const { names } = registries
  const writer = new ImageWriter(database, names)
  const checks = new CheckQueue(database, names)
  const conversions = new ConversionIndex(database, names)
  const sources = {
    open: (location: { host: string; repository: string }) => registries.repository(location),
    catalog: (signal: AbortSignal) => registries.listRepositories(backing.host, { signal }),
    backing,
  }
  return {
    feed: new CatalogueFeed(writer, conversions, checks),
    refresher: new CatalogueRefresher({
      ...sources,
      backingRepositoryOf: (image) => finder.backingRepositoryOf(image),
      writer,
      rows: new ImageRows(database, names),
      images: new KnownImages(database, names),
      repositories: new KnownRepositories(database, names, bounds.maxRepositories),
      maxTags: bounds.maxTags,
      maxImages: bounds.maxImages,
    }),
    updater: new CatalogueUpdater({
      ...sources,
      database,
      names,
      writer,
      checks,
      backfill: new Backfill({ database, writer, conversions, checks }),
      records,
      bounds,
      onProblem,
    }),
  }
}
