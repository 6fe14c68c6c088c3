import type { Caller } from '../../access/caller.ts'
import type { AnalysisContext } from '../../analysis/analyses.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { assertPlaceAllows, type UsedImages } from '../access/project-placement.ts'
import { httpStatusOf } from '../error-status.ts'
import { fieldError } from '../problem.ts'
import type { Services } from '../services.ts'

/**
 * Platforms that a request selects in an image. `fieldPath` is the path of the object that has the field
 * `platforms`.
 */
export type PlatformSelection = {
  readonly source: string
  readonly platforms: readonly string[]
  readonly fieldPath: string
}

type ValidatorServices = Pick<
  Services,
  'records' | 'analyses' | 'isCallbackAllowed' | 'assertReferenceAllowed' | 'projects' | 'names'
>

/** Rejects jobs that are certain to fail, before they are accepted. Errors name the invalid field. */
export class JobValidator {
  readonly #services: ValidatorServices

  constructor(services: ValidatorServices) {
    this.#services = services
  }

  /**
   * @param fieldPath the path of the object that has the field `callbackUrl`
   * @throws HttpError CALLBACK_NOT_ALLOWED
   */
  assertCallbackAllowed(url: string | undefined, fieldPath: string): void {
    if (url === undefined || this.#services.isCallbackAllowed(new URL(url))) return
    const detail = 'callbacks to this origin are not allowed; add it to RECORD_BROKER_CALLBACK_ORIGINS'
    throw fieldError(403, 'CALLBACK_NOT_ALLOWED', `${fieldPath}.callbackUrl`, detail)
  }

  /** @throws RegistryError HOST_NOT_ALLOWED, REPOSITORY_NOT_ALLOWED; HttpError REPOSITORY_NOT_ALLOWED */
  async assertReferencesAllowed(images: UsedImages, caller: Caller): Promise<void> {
    const { read = [], written = [] } = images
    for (const reference of read) this.#services.assertReferenceAllowed(reference, 'read', caller)
    for (const reference of written) this.#services.assertReferenceAllowed(reference, 'write', caller)
    await assertPlaceAllows(images, 'job', { caller, services: this.#services })
  }

  /**
   * @param records `fieldPath` is the path of the record's id
   * @throws HttpError RECORD_NOT_FOUND, for records of other projects, too
   */
  async assertRecordsExist(
    records: readonly { readonly id: string; readonly fieldPath: string }[],
    { project }: Caller,
  ): Promise<void> {
    if (records.length === 0) return
    // An administrator sees those of other projects, but the job does not.
    const ofProject = this.#services.records.in(ProjectScope.of(project))
    const existing = await ofProject.existingIds(records.map(({ id }) => id))
    const missing = records.find(({ id }) => !existing.has(id))
    if (!missing) return
    throw fieldError(422, 'RECORD_NOT_FOUND', missing.fieldPath, `record ${missing.id} does not exist`)
  }

  /** Checks that images have the selected platforms. @throws HttpError with the code of the first failure */
  async assertPlatformsAvailable(
    selections: readonly PlatformSelection[],
    context: AnalysisContext,
  ): Promise<void> {
    if (selections.length === 0) return
    const images = selections.map(({ source, platforms }) => ({ source, platforms }))
    const [failure] = await this.#services.analyses.checkPlatforms({ images }, context)
    if (!failure) return
    const { fieldPath = 'body' } = selections[failure.position] ?? {}
    const status = httpStatusOf(failure.code) ?? 500
    throw fieldError(status, failure.code, `${fieldPath}.platforms`, failure.message)
  }
}
