import type { Database } from '../../db/database.ts'
import type { ProjectScope } from '../../db/project-scope.ts'
import { TermIndex } from '../../db/terms/term-index.ts'
import type { ItemCount, TermFilter } from '../../db/terms/term-query.ts'
import { tryParseReference } from '../../records/profiled-digest.ts'
import type { VisibleRepositories } from '../visible-repositories.ts'
import { parseJobs } from './conversion-jobs.ts'
import type { ConversionRelation } from './conversion-relation.ts'
import { type ConversionRole, conversionPlaceTerms, conversionTerm } from './conversion-terms.ts'

type NamedImage = { readonly reference: string; readonly digest: string }

/**
 * The conversions that a caller sees: those whose source and result it may read. Of a conversion that another project
 * did, it sees what the registries show: neither the job nor the stored record, and only record images that it may read.
 */
export class VisibleConversions {
  readonly #db: Database
  readonly #visible: VisibleRepositories
  readonly #scope: ProjectScope
  readonly #terms: TermIndex
  readonly #filters: readonly TermFilter[]

  constructor(database: Database, visible: VisibleRepositories, scope: ProjectScope) {
    this.#db = database
    this.#visible = visible
    this.#scope = scope
    this.#terms = new TermIndex(database, 'catalogue_conversion_terms')
    this.#filters = (['source', 'result'] as const).flatMap((role) =>
      visible.filters(conversionPlaceTerms(role)),
    )
  }

  /**
   * Returns the newest conversions in which an image has a role.
   * @param names digests, and references with a tag
   */
  async find(
    role: ConversionRole,
    names: readonly string[],
    limit: number,
  ): Promise<{ items: ConversionRelation[]; total: ItemCount }> {
    const anyOf = names.map((name) => conversionTerm(role, name))
    const query = { all: '', filters: [{ anyOf }, ...this.#filters] }
    const { ids, total } = await this.#terms.find(query, { limit })
    const byId = await this.#read(ids)
    return { items: ids.flatMap((id) => byId.get(id) ?? []), total }
  }

  /**
   * Returns what finds the newest conversion in which an image has a role: under its own reference, or else, for
   * another tag of the same image, under its digest.
   */
  async latest(
    role: 'source' | 'result',
    images: readonly NamedImage[],
  ): Promise<(image: NamedImage) => ConversionRelation | undefined> {
    const names = images.flatMap(({ reference, digest }) => [reference, digest])
    const terms = [...new Set(names)].map((name) => conversionTerm(role, name))
    const newest = await this.#terms.newestOf(terms, this.#filters)
    const byId = await this.#read([...new Set(newest.values())])
    const newestOf = (name: string) => byId.get(newest.get(conversionTerm(role, name)) ?? '')
    return ({ reference, digest }) => {
      const named = newestOf(reference)
      // The tag may have moved since then.
      return named && digestsIn(named, role).includes(digest) ? named : newestOf(digest)
    }
  }

  async #read(ids: readonly string[]): Promise<Map<string, ConversionRelation>> {
    if (ids.length === 0) return new Map()
    const rows = await this.#db.query
      .selectFrom('catalogue_conversions')
      .select(['id', 'job_id', 'jobs', 'document', 'finished_at'])
      .where('id', 'in', ids)
      .execute()
    return new Map(rows.map((row) => [row.id, this.#relationOf(row)]))
  }

  #relationOf(row: {
    readonly job_id: string
    readonly jobs: string
    readonly document: string
    readonly finished_at: number
  }): ConversionRelation {
    const { recordId, recordImages, ...document } = JSON.parse(row.document) as ConversionRelation
    const { seesAll, project } = this.#scope
    const conversionId = seesAll ? row.job_id : parseJobs(row).get(project)
    return {
      ...(conversionId !== undefined && { conversionId }),
      ...document,
      recordImages: recordImages.filter((name) => this.#isVisible(name)),
      // Conversions with the same stored record are of its project.
      ...(conversionId !== undefined && recordId !== undefined && { recordId }),
      finishedAt: row.finished_at,
    }
  }

  #isVisible(name: string): boolean {
    if (this.#visible.isEverything) return true
    const reference = tryParseReference(name)
    return reference !== undefined && this.#visible.allows(reference)
  }
}

/** The digests of the images that have a role in a conversion: of all of it, and of its platforms. */
function digestsIn(
  { sourceDigest, digest, images }: ConversionRelation,
  role: 'source' | 'result',
): readonly string[] {
  return role === 'source'
    ? [sourceDigest, ...images.map(({ source }) => source)]
    : [digest, ...images.map((image) => image.digest)]
}
