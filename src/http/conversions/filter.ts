import { z } from 'zod'
import type { JobFilter } from '../../jobs/lists/job-filter.ts'
import { ReferenceText } from '../../oci/reference.ts'
import { canonicalImage } from '../parameters.ts'

/** The filters of conversions that their listing and their bulk actions have besides those of all jobs. */
export const conversionQuery = {
  source: ReferenceText.optional(),
  target: ReferenceText.optional(),
  batch: z.uuid().optional().describe('Only the conversions of this batch.'),
}
const ConversionQuery = z.object(conversionQuery)

export function conversionFilter({ source, target, batch }: z.infer<typeof ConversionQuery>): JobFilter {
  return {
    ...(source !== undefined && { source: canonicalImage(source) }),
    ...(target !== undefined && { target: canonicalImage(target) }),
    ...(batch !== undefined && { batchId: batch }),
  }
}
