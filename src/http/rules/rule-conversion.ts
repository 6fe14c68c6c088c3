import { ConversionRequest } from '../../conversion/request.ts'
import type { NewJob } from '../../jobs/queue/accept-job.ts'
import { formatReference, type Reference } from '../../oci/reference.ts'
import { conversionJob } from '../conversions/new-conversion.ts'
import { HttpError } from '../problem.ts'
import type { Rule } from './rule.ts'
import { expandTarget } from './target-template.ts'

/**
 * Returns the job that converts an image as a rule specifies.
 * @throws HttpError INVALID_REQUEST; InvalidReferenceError
 */
export function ruleConversionJob(rule: Rule, image: Reference): NewJob {
  const { platforms, record, options, overwrite, labels, priority } = rule
  const { success, data, error } = ConversionRequest.safeParse({
    source: formatReference(image),
    target: expandTarget(rule.target, image),
    ...(platforms && { platforms }),
    // A placeholder: the record was validated with the rule, and a long one is not validated again for each
    // image.
    ...(record && { record: { match: {} } }),
    ...(options && { options }),
    ...(overwrite && { overwrite }),
  })
  if (!success) {
    const [issue] = error.issues
    throw new HttpError(422, 'INVALID_REQUEST', `${issue?.path.join('.')}: ${issue?.message}`)
  }
  return conversionJob({ ...data, ...(record && { record }), labels, priority }, {})
}
