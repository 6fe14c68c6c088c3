import { type Command, Option } from 'commander'
import type { ResponseDocument } from '../../client/broker-request.ts'
import type { JobKind } from '../../client/wait-for-job.ts'
import { time } from '../arguments.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { bytesText, durationText } from '../text/quantities.ts'

type Series = ResponseDocument<'get', '/v1/conversions/series'>
type SeriesOptions = BrokerOptions & {
  readonly interval: 'hour' | 'day'
  readonly since?: string
  readonly until?: string
}

/** Adds `series` to the group of a kind of jobs. */
export function addSeriesCommand(group: Command, kind: JobKind): void {
  const command = group
    .command('series')
    .description(`show what ${kind}s did by the hour or by the day`)
    .addOption(
      new Option('--interval <interval>', 'one line for each').choices(['hour', 'day']).default('hour'),
    )
    .option('--since <time>', 'RFC 3339, a date, or 12h or 7d ago; default: 48 hours or 30 days ago', time)
    .option('--until <time>', 'default: now', time)
  const run = (options: SeriesOptions, self: Command) => showSeries(kind, options, self)
  describeCommand(addBrokerOptions(command).action(run), {
    examples: [[`${kind} series --interval day`, 'numbers, bytes and run times of the last 30 days']],
    settings: ['commands'],
  })
}

async function showSeries(kind: JobKind, options: SeriesOptions, command: Command): Promise<void> {
  const { interval, since, until } = options
  const query = { interval, ...(since && { from: since }), ...(until && { to: until }) }
  const series = await withBroker(command, ({ client, signal }) =>
    client.get(`/v1/${kind}s/series`, { params: { query }, signal }),
  )
  print(options, series, { text: seriesText, names: () => [] })
}

function seriesText({ items }: Series): string {
  const lines = items.map(({ from, succeeded, failed, cancelled, bytesIn, bytesOut, bytesReused, runMs }) => {
    const run = runMs
      ? `, run ${durationText(runMs.p50)} at the median, ${durationText(runMs.p99)} at p99`
      : ''
    return `${from} ${succeeded} succeeded, ${failed} failed, ${cancelled} cancelled; ${bytesText(bytesIn)} in, ${bytesText(bytesOut)} out, ${bytesText(bytesReused)} reused${run}\n`
  })
  return lines.join('')
}
