import { z } from 'zod'
import type { JobFilter } from '../../jobs/lists/job-filter.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { canonicalImage } from '../parameters.ts'

/** The filters of verifications that their listing and their bulk actions have besides those of all jobs. */
export const verificationQuery = {
  reference: ReferenceText.optional().describe('Only verifications of this image.'),
  source: ReferenceText.optional().describe('Only verifications that compare an image with this source.'),
}
const VerificationQuery = z.object(verificationQuery)

export function verificationFilter({ reference, source }: z.infer<typeof VerificationQuery>): JobFilter {
  return {
    ...(reference !== undefined && { source: canonicalImage(reference) }),
    ...(source !== undefined && { comparedWith: canonicalImage(source) }),
  }
}
