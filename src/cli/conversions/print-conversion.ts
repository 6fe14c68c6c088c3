import type { JobOf } from '../../client/wait-for-job.ts'
import { type ItemList, listText } from '../broker/list-items.ts'
import type { BrokerOptions } from '../broker/with-broker.ts'
import { type JobView, jobLine, jobLines } from '../jobs/job-text.ts'
import { print } from '../print.ts'
import { conversionText } from '../text/report-text.ts'

type Conversion = JobOf<'conversion'>
type ConversionSummary = JobView & { readonly source: string; readonly target: string }

/** Prints a list of conversions. */
export function printConversions(options: BrokerOptions, list: ItemList<ConversionSummary>): void {
  print(options, list, {
    text: (result) => listText(result, (job) => jobLine(job, `${job.source} to ${job.target}`)),
    names: ({ items }) => items.map(({ id }) => id),
  })
}

/** Prints a conversion. With `--quiet` only the digest of the result, or the id if there is none yet. */
export function printConversion(options: BrokerOptions, conversion: Conversion): void {
  print(options, conversion, {
    text: (job) => {
      const lines = jobLines(job, `${job.source} to ${job.target}`)
      return `${lines.join('\n')}\n${job.report ? conversionText(job.report) : ''}`
    },
    names: ({ id, report }) => (report ? `${report.target}@${report.digest}` : id),
  })
}
