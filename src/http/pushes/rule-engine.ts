import type { FastifyBaseLogger } from 'fastify'
import type { NewJob } from '../../jobs/queue/accept-job.ts'
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts'
import { EventLoopYielder } from '../event-loop-yielder.ts'
import { HttpError, problemOf } from '../problem.ts'
import type { Rule } from '../rules/rule.ts'
import { type LoadedRule, RuleCache } from '../rules/rule-cache.ts'
import { ruleConversionJob } from '../rules/rule-conversion.ts'
import type { Services } from '../services.ts'
import { MAX_REFUSALS, type PushOutcome, type Refusal } from './push-outcome.ts'

/** An image that was pushed, as its registry reports it. */
export type Push = { readonly image: string; readonly digest?: string | undefined }

type EngineServices = Pick<Services, 'jobs' | 'names' | 'tagMoves' | 'rules' | 'assertReferenceAllowed'>
type Log = Pick<FastifyBaseLogger, 'error' | 'warn'>
/** The HTTP request that reports pushes or a record. */
type RequestOrigin = { readonly log: Log; readonly requestId: string }

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
   * Starts the conversions of pushed images. Reporting a push again starts nothing again.
   * @throws errors of the broker itself, so that the registry reports the pushes again
   */
  async handlePushes(
    pushes: readonly Push[],
    { signal, ...request }: RequestOrigin & { readonly signal: AbortSignal },
  ): Promise<PushOutcome[]> {
    const yielder = new EventLoopYielder(signal)
    const outcomes: PushOutcome[] = []
    for (const push of pushes) {
      await yielder.yieldIfDue()
      outcomes.push(await this.#initialOutcome(push))
    }
    let refusals = 0
    // Rules in the outer loop: each rule is read and compiled at most once.
    for await (const loaded of this.#rules.all()) {
      for (const outcome of outcomes) {
        await yielder.yieldIfDue()
        const refusal = await refusalOf(
          () => this.#applyRule(loaded, outcome, yielder, request.requestId),
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

  /** Converts the image of a new record again, for rules with `onRecord`. */
  async handleNewRecord(
    { id, image: name }: { readonly id: string; readonly image?: string | undefined },
    { log, requestId }: RequestOrigin,
  ): Promise<void> {
    const parsed = name === undefined ? undefined : parseTagged(name)
    if (!parsed?.image) return
    const { image } = parsed
    const yielder = new EventLoopYielder()
    for await (const loaded of this.#rules.all()) {
      await yielder.yieldIfDue()
      const refusal = await refusalOf(async () => {
        const rule = await this.#ruleIfMatching(loaded, image, yielder)
        if (!rule?.onRecord) return
        await this.#startJob({ ...ruleConversionJob({ ...rule, record: { id } }, image), requestId })
      }, log)
      if (refusal)
        log.warn({ ...refusal, rule: loaded.id, record: id }, 'a rule could not convert with a new record')
    }
  }

  async #initialOutcome({ image: text, digest }: Push): Promise<PushOutcome> {
    const parsed = parseTagged(text)
    const outcome = { digest, image: undefined, conversions: [], refused: [] }
    if (!parsed.image) return { ...outcome, name: text, ignoredReason: parsed.error }
    const name = this.#services.names.preferredReference(formatReference(parsed.image))
    if (await this.#services.tagMoves.isMovedByBroker(name, digest)) {
      return { ...outcome, name, ignoredReason: 'the broker pushed it itself' }
    }
    return { ...outcome, name, image: parsed.image, ignoredReason: 'no rule matches it' }
  }

  async #applyRule(
    loaded: LoadedRule,
    { image, name, digest, conversions }: PushOutcome,
    yielder: EventLoopYielder,
    requestId: string,
  ): Promise<void> {
    const rule = image && (await this.#ruleIfMatching(loaded, image, yielder))
    if (!rule) return
    const requestKey = `push ${loaded.id} ${loaded.updatedAt} ${name} ${digest ?? ''}`
    const job = { ...ruleConversionJob(rule, image), variant: digest, requestId }
    const id = await this.#startJob(digest ? { ...job, requestKey } : job)
    conversions.push({ ruleId: loaded.id, id })
  }

  /** A rule may name the embedded registry by any of its names. @throws HttpError INVALID_RULE */
  async #ruleIfMatching(
    loaded: LoadedRule,
    image: Reference,
    yielder: EventLoopYielder,
  ): Promise<Rule | undefined> {
    if (loaded.kind === 'invalid') throw new HttpError(422, 'INVALID_RULE', loaded.error)
    for (const host of this.#services.names.all(image.host)) {
      if (await loaded.matcher.matches({ ...image, host }, yielder)) return loaded.rule
    }
    return undefined
  }

  /** Returns the id of the job. */
  async #startJob(newJob: NewJob): Promise<string> {
    const { jobs, assertReferenceAllowed } = this.#services
    assertReferenceAllowed(newJob.source)
    assertReferenceAllowed(newJob.target)
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
