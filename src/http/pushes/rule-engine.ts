import type { FastifyBaseLogger } from 'fastify'
import type { Caller } from '../../access/caller.ts'
import { repositoryRule } from '../../access/registries/project-rule.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { NewJob } from '../../jobs/queue/accept-job.ts'
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts'
import type { StoredRecord } from '../../records/stored-record.ts'
import { EventLoopYielder } from '../event-loop-yielder.ts'
import { HttpError, problemOf } from '../problem.ts'
import { GlobSteps } from '../rules/glob-steps.ts'
import type { Rule } from '../rules/rule.ts'
import { assertConversionAllowed } from '../rules/rule-access.ts'
import { type LoadedRule, RuleCache } from '../rules/rule-cache.ts'
import { ruleConversionJob } from '../rules/rule-conversion.ts'
import type { MatchWork } from '../rules/rule-matcher.ts'
import type { Services } from '../services.ts'
import { MAX_REFUSALS, type PushOutcome, type Refusal } from './push-outcome.ts'
import { ReadablePushes } from './readable-pushes.ts'

/** An image that was pushed, as its registry reports it. */
export type Push = { readonly image: string; readonly digest?: string | undefined }

type EngineServices = Pick<
  Services,
  'jobs' | 'names' | 'tagMoves' | 'rules' | 'projects' | 'assertReferenceAllowed'
>
type Log = Pick<FastifyBaseLogger, 'error' | 'warn'>
/** What reports pushes or a record: an HTTP request, if it has an id. */
type RequestOrigin = { readonly log: Log; readonly requestId?: string | undefined }

/** Who reports pushes: only rules that it sees are applied. */
export type PushReporter = Pick<Caller, 'projectScope' | 'access'>

const CLIENT_DISCONNECTED_STATUS = 499

/**
 * Starts the conversions that rules require. Yields to other requests, however many rules and pushes there
 * are.
 */
export class RuleEngine {
  readonly #services: EngineServices
  readonly #rules: RuleCache

  constructor(services: EngineServices) {
    this.#services = services
    this.#rules = new RuleCache(services.rules)
  }

  /**
   * Starts the conversions of pushed images, each in the project of its rule. Reporting a push again starts nothing
   * again.
   * @throws errors of the broker itself, so that the registry reports the pushes again
   */
  async handlePushes(
    pushes: readonly Push[],
    {
      signal,
      caller,
      ...request
    }: RequestOrigin & { readonly signal: AbortSignal; readonly caller: PushReporter },
  ): Promise<PushOutcome[]> {
    const yielder = new EventLoopYielder(signal)
    const outcomes: PushOutcome[] = []
    for (const push of pushes) {
      await yielder.yieldIfDue()
      outcomes.push(await this.#initialOutcome(push, caller))
    }
    const readable = new ReadablePushes(outcomes, this.#services, yielder)
    const steps = new GlobSteps(pushes.length)
    let refusals = 0
    // Rules in the outer loop: each rule is read and compiled at most once.
    const rules = this.#rules.all(
      caller.projectScope,
      async (project) => (await readable.of(project)).length > 0,
    )
    for await (const loaded of rules) {
      const work = steps.work(loaded.project, yielder)
      for (const outcome of await readable.of(loaded.project)) {
        await yielder.yieldIfDue()
        const refusal = await refusalOf(
          () => this.#applyRule(loaded, outcome, work, request.requestId),
          request.log,
        )
        if (!refusal) continue
        outcome.ignoredReason = refusal.message
        if (refusals < MAX_REFUSALS) outcome.refused.push({ ruleId: loaded.id, ...refusal })
        refusals += 1
      }
    }
    return outcomes
  }

  /** Converts the image of a new record again, for rules of its project with `onRecord`. */
  async handleNewRecord(
    { id, project, image: name }: Pick<StoredRecord, 'id' | 'project' | 'image'>,
    { log, requestId }: RequestOrigin,
  ): Promise<void> {
    const parsed = name === undefined ? undefined : parseTagged(name)
    if (!parsed?.image) return
    const { image } = parsed
    const yielder = new EventLoopYielder()
    const work = new GlobSteps(1).work(project, yielder)
    for await (const loaded of this.#rules.all(ProjectScope.of(project))) {
      await yielder.yieldIfDue()
      const refusal = await refusalOf(async () => {
        const rule = await this.#ruleIfMatching(loaded, image, work)
        if (!rule?.onRecord) return
        const job = ruleConversionJob({ ...rule, record: { id } }, image)
        await this.#assertAllowed(job, loaded.project)
        await this.#startJob({ ...job, requestId }, loaded.project)
      }, log)
      if (refusal)
        log.warn({ ...refusal, rule: loaded.id, record: id }, 'a rule could not convert with a new record')
    }
  }

  async #initialOutcome({ image: text, digest }: Push, caller: PushReporter): Promise<PushOutcome> {
    const parsed = parseTagged(text)
    const outcome = { digest, image: undefined, conversions: [], refused: [] }
    if (!parsed.image) return { ...outcome, name: text, ignoredReason: parsed.error }
    const { names, tagMoves } = this.#services
    const { image } = parsed
    const name = names.preferredReference(formatReference(image))
    const isOwn = await tagMoves.isMovedByBroker(name, digest)
    // Who may not read an image does not learn from its outcome whether this broker pushed it.
    if (isOwn && repositoryRule(caller.access, names)(image, 'read')) {
      return { ...outcome, name, ignoredReason: 'the broker pushed it itself' }
    }
    return { ...outcome, name, image, isOwn, ignoredReason: 'no rule matches it' }
  }

  async #applyRule(
    loaded: LoadedRule,
    { image, name, digest, isOwn, conversions }: PushOutcome,
    work: MatchWork,
    requestId: string | undefined,
  ): Promise<void> {
    const rule = image && (await this.#ruleIfMatching(loaded, image, work))
    if (!rule) return
    const requestKey = `push ${loaded.id} ${loaded.updatedAt} ${name} ${digest ?? ''}`
    const job = { ...ruleConversionJob(rule, image), variant: digest, requestId }
    await this.#assertAllowed(job, loaded.project)
    if (isOwn) return
    const id = await this.#startJob(digest ? { ...job, requestKey } : job, loaded.project)
    conversions.push({ ruleId: loaded.id, id })
  }

  /** A rule may name the embedded registry by any of its names. @throws HttpError INVALID_RULE */
  async #ruleIfMatching(loaded: LoadedRule, image: Reference, work: MatchWork): Promise<Rule | undefined> {
    if (loaded.kind === 'invalid') throw new HttpError(422, 'INVALID_RULE', loaded.error)
    for (const host of this.#services.names.all(image.host)) {
      if (await loaded.matcher.matches({ ...image, host }, work)) return loaded.rule
    }
    return undefined
  }

  /** @throws HttpError REPOSITORY_NOT_ALLOWED; RegistryError HOST_NOT_ALLOWED */
  async #assertAllowed(job: NewJob, project: string): Promise<void> {
    const { names, projects, assertReferenceAllowed } = this.#services
    assertReferenceAllowed(job.source, 'read')
    assertReferenceAllowed(job.target, 'write')
    assertConversionAllowed(job, project, { project: await projects.get(project), names })
  }

  /** Returns the id of the job. */
  async #startJob(newJob: NewJob, project: string): Promise<string> {
    const jobs = this.#services.jobs.in(ProjectScope.of(project))
    const { job, outcome } = await jobs.create(newJob)
    // The registry reports a push again whose conversion has failed: retry it.
    if (outcome === 'repeated' && job.state === 'failed') await jobs.retry('conversion', job.id)
    return job.id
  }
}

type ParsedImage = { readonly image: Reference } | { readonly image?: undefined; readonly error: string }

/** Parses the reference of an image with a tag. */
function parseTagged(text: string): ParsedImage {
  try {
    const { host, repository, tag } = parseReference(text)
    // Registries report every manifest of an index. The tag is pushed last, and its push covers all of them.
    return tag === undefined ? { error: 'it has no tag' } : { image: { host, repository, tag } }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

/**
 * Returns why one rule cannot convert one image, so that other rules and images continue.
 * @throws errors of the broker or its client that affect the others, too
 */
async function refusalOf(
  action: () => Promise<void>,
  log: Log,
): Promise<Omit<Refusal, 'ruleId'> | undefined> {
  try {
    await action()
    return undefined
  } catch (error) {
    const { status, code, detail: message = '' } = problemOf(error as Error)
    if (status > 500 || status === CLIENT_DISCONNECTED_STATUS) throw error
    if (status === 500) log.error({ err: error }, 'a rule failed')
    return { code, message }
  }
}
