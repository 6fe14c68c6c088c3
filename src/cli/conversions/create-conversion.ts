import type { Command } from 'commander'
import { reference, target as targetReference } from '../arguments.ts'
import {
  addBrokerOptions,
  type BrokerContext,
  type BrokerOptions,
  withBroker,
} from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { addNewJobOptions, type NewJobOptions, newJobFields } from '../jobs/job-options.ts'
import { createdText, watchJob } from '../jobs/watch-job.ts'
import { uploadProfile } from '../records/upload-profile.ts'
import {
  addConvertOptions,
  type ConvertOptions,
  type NamedRecord,
  namedRecord,
  requestParts,
} from './conversion-options.ts'
import { printConversion } from './print-conversion.ts'

type CreateOptions = ConvertOptions & NewJobOptions & BrokerOptions & { readonly recordId?: string }

/** Adds `conversion create`. */
export function addCreateCommand(conversion: Command): void {
  const command = conversion
    .command('create')
    .description('convert an image to eStargz, registry to registry, with a broker')
    .argument('<source>', 'the image to convert', reference)
    .argument('<target>', 'where to push the result, with a tag', targetReference)
  addConvertOptions(command)
  command.optionsGroup('Record:').option('--record-id <id>', 'apply an uploaded record')
  addNewJobOptions(command, 'conversion')
  describeCommand(addBrokerOptions(command).action(createConversion), {
    examples: [
      ['conversion create r.example/app:1 r.example/app:1-esgz --wait', 'convert, and show the progress'],
      [
        'conversion create r.example/app:1 r.example/app:1-esgz --record opened.txt --label pipeline=4711',
        'upload a record, and convert with it; prints the id of the conversion',
      ],
      [
        'conversion create r.example/app:1 r.example/app:1-esgz --wait --quiet',
        'print only the digest of the result',
      ],
    ],
    settings: ['commands'],
  })
}

async function createConversion(
  source: string,
  target: string,
  options: CreateOptions,
  command: Command,
): Promise<void> {
  const { recordId, wait } = options
  const named = namedRecord(options, { option: '--record-id', value: recordId })
  const conversion = await withBroker(command, async (context) => {
    const { client, signal } = context
    const record = named ?? (await uploadedRecord(context, source, options))
    const body = {
      source,
      target,
      ...(record && { record }),
      ...requestParts(options),
      ...newJobFields(options),
    }
    const created = await client.post('/v1/conversions', { body, signal })
    if (!wait) return created
    context.whenFailed(createdText('conversion', created.id))
    return watchJob(context, { kind: 'conversion', id: created.id, title: target })
  })
  printConversion(options, conversion)
  if (wait && conversion.state !== 'succeeded') process.exitCode = 1
}

/** Uploads the record of `--record`, so that it is stored, and returns its id. */
async function uploadedRecord(
  context: BrokerContext,
  source: string,
  { record, recordFormat, recordId }: CreateOptions,
): Promise<NamedRecord | { readonly id: string } | undefined> {
  if (recordId !== undefined) return { id: recordId }
  if (record === undefined) return undefined
  const query = { image: source, ...(recordFormat && { format: recordFormat }) }
  const { id, warnings = [] } = await uploadProfile(context, record, query)
  for (const warning of warnings) context.progress.note(`${record}: ${warning}`)
  return { id }
}
