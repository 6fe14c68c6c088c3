import type { Database } from '../../db/database.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { canonical, type Location, locationName, locationsOf, splitLocation } from '../location.ts'

/** The repositories that are scanned. */
export class KnownRepositories {
  readonly #db: Database
  readonly #names: HostNames
  readonly #max: number

  constructor(database: Database, names: HostNames, max: number) {
    this.#db = database
    this.#names = names
    this.#max = max
  }

  /** Adds repositories, up to the limit. */
  async add(locations: readonly Location[]): Promise<void> {
    if (locations.length === 0) return
    const { count } = await this.#db.query
      .selectFrom('catalogue_repositories')
      .select((select) => select.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    const names = locations.map((location) => locationName(canonical(this.#names, location)))
    const rows = [...new Set(names)]
      .slice(0, Math.max(0, this.#max - Number(count)))
      .sort()
      .map((location) => ({ location, compared_at: 0 }))
    if (rows.length === 0) return
    await this.#db.write((query) =>
      query
        .insertInto('catalogue_repositories')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    )
  }

  /** Adds the repositories of a registry that images in the catalogue are in. */
  async addThoseOfImages(registry: string): Promise<void> {
    const { from, below } = locationsOf(registry)
    const rows = await this.#db.query
      .selectFrom('catalogue_images')
      .select('location')
      .distinct()
      .where('location', '>=', from)
      .where('location', '<', below)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('catalogue_repositories')
              .select('catalogue_repositories.location')
              .whereRef('catalogue_repositories.location', '=', 'catalogue_images.location'),
          ),
        ),
      )
      .limit(this.#max)
      .execute()
    await this.add(rows.map(({ location }) => splitLocation(location)))
  }

  /** Returns the repository of a registry that follows another one by name. */
  async next(registry: string, after: string | undefined): Promise<string | undefined> {
    const { from, below } = locationsOf(registry)
    const row = await this.#db.query
      .selectFrom('catalogue_repositories')
      .select('location')
      .where('location', '>', after ?? from)
      .where('location', '<', below)
      .orderBy('location')
      .limit(1)
      .executeTakeFirst()
    return row?.location
  }

  /** Notes that a comparison is complete. @param startedAt when it began */
  async markCompared(location: Location, startedAt: number): Promise<void> {
    const name = locationName(canonical(this.#names, location))
    await this.#db.write((query) =>
      query
        .insertInto('catalogue_repositories')
        .values({ location: name, compared_at: startedAt })
        .onConflict((conflict) => conflict.column('location').doUpdateSet({ compared_at: startedAt }))
        .execute(),
    )
  }

  async remove(location: Location): Promise<void> {
    const name = locationName(canonical(this.#names, location))
    await this.#db.write((query) =>
      query.deleteFrom('catalogue_repositories').where('location', '=', name).execute(),
    )
  }
}
