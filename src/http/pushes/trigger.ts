import { ConversionRequest } from '../../conversion/request.ts'
import type { NewJob } from '../../jobs/accept.ts'
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts'
import { conversionJob } from '../new-conversion.ts'
import type { Services } from '../services.ts'
import { Rule, ruleMatches, targetFor } from './rule.ts'

/** Something that was pushed, as a registry tells. */
export type Push = { readonly image: string; readonly digest?: string | undefined }

/** What became of a push: conversions by rule, or why there is none. */
export type Outcome = {
  readonly image: string
  readonly conversions: readonly { readonly rule: string; readonly id: string }[]
  readonly ignored?: string
}

type Parts = Pick<Services, 'jobs' | 'tagMoves' | 'rules' | 'checkAllowed'>

/** Begins the conversions that rules want for what was pushed. Telling of one push again begins nothing again. */
export async function pushed(parts: Parts, pushes: readonly Push[]): Promise<Outcome[]> {
  const rules = (await parts.rules.all()).map(({ id, document, updatedAt }) => ({
    id,
    updatedAt,
    rule: Rule.parse(document),
  }))
  const outcomes: Outcome[] = []
  for (const push of pushes) {
    const image = readImage(push.image)
    if (typeof image === 'string') {
      outcomes.push(ignored(push.image, image))
      continue
    }
    const name = formatReference(image)
    if (await parts.tagMoves.isOwn(name, push.digest)) {
      outcomes.push(ignored(name, 'the broker pushed it itself'))
      continue
    }
    const wanted = rules.filter(({ rule }) => ruleMatches(rule, image))
    const conversions: { rule: string; id: string }[] = []
    let refused: string | undefined
    for (const { id, rule, updatedAt } of wanted) {
      const key = `push ${id} ${updatedAt} ${name} ${push.digest ?? ''}`
      const job = jobFor(rule, image, { variant: push.digest })
      const made = await begin(parts, { ...job, ...(push.digest && { requestKey: key }) }).catch(
        (error: unknown) => {
          if (!isRefusal(error)) throw error
          refused = error.message
          return undefined
        },
      )
      if (made !== undefined) conversions.push({ rule: id, id: made })
    }
    const why = wanted.length === 0 ? 'no rule is about it' : refused
    outcomes.push({ image: name, conversions, ...(conversions.length === 0 && why && { ignored: why }) })
  }
  return outcomes
}

/** Begins the conversions that rules want for a new record of an image. */
export async function recordAdded(
  parts: Parts,
  { id: recordId, image }: { readonly id: string; readonly image?: string | undefined },
): Promise<void> {
  const reference = image === undefined ? '' : readImage(image)
  if (typeof reference === 'string') return
  for (const { document } of await parts.rules.all()) {
    const rule = Rule.parse(document)
    if (!rule.onRecord || !ruleMatches(rule, reference)) continue
    const job = jobFor({ ...rule, record: { id: recordId } }, reference, {})
    await begin(parts, job).catch((error: unknown) => {
      if (!isRefusal(error)) throw error
    })
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

function jobFor(rule: Rule, image: Reference, { variant }: { variant?: string | undefined }): NewJob {
  const { platforms, record, options, overwrite, labels, priority } = rule
  const request = ConversionRequest.parse({
    source: formatReference(image),
    target: targetFor(rule.target, image),
    ...(platforms && { platforms }),
    ...(record && { record }),
    ...(options && { options }),
    ...(overwrite && { overwrite }),
  })
  return { ...conversionJob({ ...request, labels, priority }, undefined), variant }
}

async function begin({ jobs, checkAllowed }: Parts, job: NewJob): Promise<string> {
  checkAllowed(job.source)
  checkAllowed(job.target)
  const { job: made, outcome } = await jobs.create(job)
  // Pushed again, after the conversion failed: it is worth another try.
  if (outcome === 'repeated' && made.state === 'failed') await jobs.retry('conversion', made.id)
  return made.id
}

/** What is wrong with one rule for one image stops no other one. */
function isRefusal(error: unknown): error is Error {
  const { code, name } = error as { code?: unknown; name?: unknown }
  return code === 'HOST_NOT_ALLOWED' || code === 'INVALID_REFERENCE' || name === 'ZodError'
}

function ignored(image: string, why: string): Outcome {
  return { image, conversions: [], ignored: why }
}
