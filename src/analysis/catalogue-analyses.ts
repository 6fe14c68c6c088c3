import type { CatalogueFeed } from '../catalogue/catalogue-feed.ts'
import type { CatalogueRefresher } from '../catalogue/compare/catalogue-refresher.ts'
import type { CatalogueUpdater } from '../catalogue/scan/catalogue-updater.ts'
import type { Analyses, AnalysisContext } from './analyses.ts'

/** What analyses need of the catalogue. */
export type CatalogueServices = {
  readonly feed: CatalogueFeed
  readonly refresher: CatalogueRefresher
  readonly updater: CatalogueUpdater
}

/** The analyses that read registries for the catalogue. */
export class CatalogueAnalyses implements Pick<Analyses, 'refreshCatalogue' | 'updateCatalogue'> {
  readonly #services: CatalogueServices

  constructor(services: CatalogueServices) {
    this.#services = services
  }

  refreshCatalogue(
    request: Parameters<Analyses['refreshCatalogue']>[0],
    { signal }: AnalysisContext,
  ): Promise<void> {
    return this.#services.refresher.refresh(request, signal)
  }

  updateCatalogue(
    { owner }: Parameters<Analyses['updateCatalogue']>[0],
    { signal }: AnalysisContext,
  ): Promise<number> {
    return this.#services.updater.turn(owner, signal)
  }
}
