import { type Command, Option } from 'commander'
import { type BrokerEvent, events } from '../../client/events.ts'
import { collect, label, oneOf } from '../arguments.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'

const KINDS = ['conversion', 'verification'] as const
type EventType = BrokerEvent['event']
/** The types of events: the compiler requires all that the API describes, and no other. */
const TYPES = Object.keys({
  queued: true,
  started: true,
  progress: true,
  retrying: true,
  throttled: true,
  released: true,
  crashed: true,
  'cancel-requested': true,
  succeeded: true,
  failed: true,
  cancelled: true,
} satisfies Record<EventType, true>) as EventType[]

type EventsOptions = BrokerOptions & {
  readonly after?: string
  readonly kind?: (typeof KINDS)[number]
  readonly type?: EventType[]
  readonly label?: string[]
}

/** Adds `events`. */
export function addEventsCommand(program: Command): void {
  const command = program
    .command('events')
    .description('print the events of all jobs as they happen, until Ctrl-C')
    .option('--after <id>', 'begin with the events after this one; default: with new events')
    .addOption(new Option('--kind <kind>', 'only events of these jobs; default: all').choices(KINDS))
    .addOption(
      new Option('--type <type>', 'only events of this type; can be given more than once')
        .choices(TYPES)
        .argParser(collect(oneOf(TYPES))),
    )
    .option(
      '--label <key=value>',
      'only events of jobs with this label; can be given more than once',
      collect(label),
    )
  describeCommand(addBrokerOptions(command).action(printEvents), {
    examples: [
      ['events --type succeeded --type failed', 'one line for each job that ends'],
      ['events --json --after ID', 'one JSON document a line, after the last event that was seen'],
    ],
    settings: ['commands'],
  })
}

async function printEvents(options: EventsOptions, command: Command): Promise<void> {
  const { after, json, kind, type, label: labels } = options
  const query = { ...(kind && { kind }), ...(type && { type }), ...(labels && { label: labels }) }
  await withBroker(command, async ({ client, progress, signal }) => {
    // Events are the output: there is nothing to show beside them.
    progress[Symbol.dispose]()
    const stream = events(client, '/v1/events', {
      params: { query },
      signal,
      ...(after !== undefined && { lastEventId: after }),
    })
    for await (const event of stream)
      process.stdout.write(json ? `${JSON.stringify(event)}\n` : eventText(event))
  })
}

type PrintedEvent = { readonly id?: string | undefined; readonly event: string; readonly data: unknown }
type EventData = {
  readonly createdAt?: string
  readonly kind?: string
  readonly jobId?: string
  readonly source?: string
  readonly target?: string
  readonly digest?: string
  readonly error?: { readonly code: string; readonly message: string }
}

function eventText({ id, event, data }: PrintedEvent): string {
  const { createdAt, kind, jobId, source, target, digest, error } = data as EventData
  const subject = target ? `${source} to ${target}` : source
  const reason = error ? `: ${error.code}: ${error.message}` : ''
  return `${[id, createdAt, kind, jobId, event, subject, digest].filter(Boolean).join(' ')}${reason}\n`
}
