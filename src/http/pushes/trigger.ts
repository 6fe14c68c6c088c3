import type { FastifyBaseLogger } from 'fastify'
import { ConversionRequest } from '../../conversion/request.ts'
import type { NewJob } from '../../jobs/queue/accept.ts'
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts'
import { conversionJob } from '../conversions/new-conversion.ts'
import { Pace } from '../pace.ts'
import { HttpError, problemOf } from '../problem.ts'
import { type KnownRule, KnownRules } from '../rules/known-rules.ts'
import { type Rule, targetFor } from '../rules/rule.ts'
import type { Services } from '../services.ts'
import { MAX_REFUSALS, type PushOutcome, type Refusal } from './outcome.ts'

/** Something that was pushed, as a registry tells. */
export type Push = { readonly image: string; readonly digest?: string | undefined }

type Parts = Pick<Services, 'jobs' | 'tagMoves' | 'rules' | 'checkAllowed'>
type Log = Pick<FastifyBaseLogger, 'error' | 'warn'>

/** Begins the conversions that rules want. Requests are answered in between, however many rules and pushes there are. */
export class Trigger {
  readonly #parts: Parts
  readonly #rules: KnownRules

  constructor(parts: Parts) {
    this.#parts = parts
    this.#rules = new KnownRules(parts.rules)
  }

  /**
   * Something was pushed. Telling of one push again begins nothing again.
   * @throws what is wrong with the broker itself, so that whoever told of the pushes tells of them again
   */
  async pushed(
    pushes: readonly Push[],
    { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
  ): Promise<PushOutcome[]> {
    const pace = new Pace(signal)
    const outcomes: PushOutcome[] = []
    for (const push of pushes) {
      await pace.breathe()
      outcomes.push(await this.#begun(push))
    }
    let named = 0
    // Each rule in turn is held against all images, so that it is read and compiled once at most.
    for await (const known of this.#rules.all()) {
      for (const outcome of outcomes) {
        await pace.breathe()
        const refusal = await refusalOf(() => this.#hold(known, outcome, pace), log)
        if (!refusal) continue
        outcome.why = refusal.message
        if (named < MAX_REFUSALS) outcome.refused.push({ rule: known.id, ...refusal })
        named += 1
      }
    }
    return outcomes
  }

  /** There is a new record, perhaps of an image that rules are about. */
  async recordAdded(
    { id, image: name }: { readonly id: string; readonly image?: string | undefined },
    log: Log,
  ): Promise<void> {
    const image = name === undefined ? '' : readImage(name)
    if (typeof image === 'string') return
    const pace = new Pace()
    for await (const known of this.#rules.all()) {
      await pace.breathe()
      const refusal = await refusalOf(async () => {
        const rule = await ruleAbout(known, image, pace)
        if (rule?.onRecord) await this.#begin(jobFor({ ...rule, record: { id } }, image))
      }, log)
      if (refusal) log.warn({ ...refusal, rule: known.id, record: id }, 'a rule cannot convert with a record')
    }
  }

  async #begun({ image: text, digest }: Push): Promise<PushOutcome> {
    const image = readImage(text)
    const nothing = { digest, image: undefined, conversions: [], refused: [] }
    if (typeof image === 'string') return { ...nothing, name: text, why: image }
    const name = formatReference(image)
    if (await this.#parts.tagMoves.isOwn(name, digest)) {
      return { ...nothing, name, why: 'the broker pushed it itself' }
    }
    return { ...nothing, name, image, why: 'no rule is about it' }
  }

  async #hold(
    known: KnownRule,
    { image, name, digest, conversions }: PushOutcome,
    pace: Pace,
  ): Promise<void> {
    const rule = image && (await ruleAbout(known, image, pace))
    if (!rule) return
    const requestKey = `push ${known.id} ${known.updatedAt} ${name} ${digest ?? ''}`
    const job = { ...jobFor(rule, image), variant: digest }
    conversions.push({ rule: known.id, id: await this.#begin(digest ? { ...job, requestKey } : job) })
  }

  async #begin(job: NewJob): Promise<string> {
    const { jobs, checkAllowed } = this.#parts
    checkAllowed(job.source)
    checkAllowed(job.target)
    const { job: made, outcome } = await jobs.create(job)
    // Pushed again, after the conversion failed: it is worth another try.
    if (outcome === 'repeated' && made.state === 'failed') await jobs.retry('conversion', made.id)
    return made.id
  }
}

/** The reference of an image that has a tag, or why it is none. */
function readImage(text: string): Reference | string {
  try {
    const { host, repository, tag } = parseReference(text)
    // Registries tell of every manifest of an index; the tag is pushed last, and stands for all of them.
    if (tag === undefined) return 'it has no tag'
    return { host, repository, tag } as Reference
  } catch (error) {
    return (error as Error).message
  }
}

async function ruleAbout(known: KnownRule, image: Reference, pace: Pace): Promise<Rule | undefined> {
  if ('invalid' in known) throw new HttpError(422, 'INVALID_RULE', known.invalid)
  return (await known.matcher.matches(image, pace)) ? known.rule : undefined
}

function jobFor(rule: Rule, image: Reference): NewJob {
  const { platforms, record, options, overwrite, labels, priority } = rule
  const { success, data, error } = ConversionRequest.safeParse({
    source: formatReference(image),
    target: targetFor(rule.target, image),
    ...(platforms && { platforms }),
    // The record was checked with the rule: a long one is not read again for each image.
    ...(record && { record: { match: {} } }),
    ...(options && { options }),
    ...(overwrite && { overwrite }),
  })
  if (!success) {
    const [issue] = error.issues
    throw new HttpError(422, 'INVALID_REQUEST', `${issue?.path.join('.')}: ${issue?.message}`)
  }
  return conversionJob({ ...data, ...(record && { record }), labels, priority }, undefined)
}

/**
 * What is wrong with one rule for one image stops no other one.
 * @throws what is wrong with the broker or its caller, and would stop the others, too
 */
async function refusalOf(act: () => Promise<void>, log: Log): Promise<Omit<Refusal, 'rule'> | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    const { status, code, detail: message = '' } = problemOf(error as Error)
    if (status > 500 || status === CLIENT_GONE) throw error
    if (status === 500) log.error({ err: error }, 'a rule failed')
    return { code, message }
  }
}

const CLIENT_GONE = 499
