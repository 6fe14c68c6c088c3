import type { Command } from 'commander'
import type { JobOf } from '../../client/wait-for-job.ts'
import { PLATFORMS_OPTION, reference } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { addEndCommands } from '../jobs/end-jobs.ts'
import {
  addFilterOptions,
  addNewJobOptions,
  type FilterOptions,
  filterQuery,
  type NewJobOptions,
  newJobFields,
} from '../jobs/job-options.ts'
import { jobLine, jobLines } from '../jobs/job-text.ts'
import { addSeriesCommand } from '../jobs/series.ts'
import { createdText, watchJob } from '../jobs/watch-job.ts'
import { print } from '../print.ts'
import { verificationText } from '../text/report-text.ts'

/** Adds `verification create`, `list`, `show`, `watch`, `cancel` and `retry`. */
export function addVerificationCommands(program: Command): void {
  const verification = program.command('verification').description('verify images with a broker')
  const create = verification
    .command('create')
    .description('read a whole eStargz image and check every digest, with a broker')
    .argument('<reference>', 'the eStargz image', reference)
    .option('--source <reference>', 'also compare its files with those of the source image', reference)
    .option(...PLATFORMS_OPTION)
  addNewJobOptions(create, 'verification')
  describeCommand(addBrokerOptions(create).action(createVerification), {
    examples: [
      [
        'verification create r.example/app:1-esgz --source r.example/app:1 --wait',
        'exits with status 1 if a digest or a file differs',
      ],
    ],
    settings: ['commands'],
  })
  const list = verification.command('list').description('list verifications, newest first')
  addFilterOptions(list, 'verifications')
  list
    .option('--reference <reference>', 'only verifications of this image', reference)
    .option('--source <reference>', 'only verifications that compare with this image', reference)
  addBrokerOptions(addLimitOption(list, 'verifications')).action(listVerifications)
  const one = (name: string, description: string) =>
    addBrokerOptions(
      verification.command(name).description(description).argument('<id>', 'id of the verification'),
    )
  one('show', 'show a verification with its attempts and its report').action(showVerification)
  one('watch', 'show the progress of a verification until it has finished').action(watchVerification)
  addEndCommands(verification, 'verification', act)
  addSeriesCommand(verification, 'verification')
}

async function createVerification(
  image: string,
  options: BrokerOptions & NewJobOptions & { readonly source?: string; readonly platform?: string[] },
  command: Command,
): Promise<void> {
  const { source, platform: platforms, wait } = options
  const body = {
    reference: image,
    ...(source !== undefined && { source }),
    ...(platforms && { platforms }),
    ...newJobFields(options),
  }
  const verification = await withBroker(command, async (context) => {
    const created = await context.client.post('/v1/verifications', { body, signal: context.signal })
    if (!wait) return created
    context.whenFailed(createdText('verification', created.id))
    return watchJob(context, { kind: 'verification', id: created.id, title: image })
  })
  printVerification(options, verification)
  if (wait) process.exitCode = exitStatus(verification)
}

async function listVerifications(
  options: BrokerOptions &
    FilterOptions & { readonly reference?: string; readonly source?: string; readonly limit: number },
  command: Command,
): Promise<void> {
  const { reference: image, source, limit } = options
  const query = { ...filterQuery(options), ...(image && { reference: image }), ...(source && { source }) }
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/verifications', { limit, query, signal }),
  )
  print(options, list, {
    text: (result) => listText(result, (job) => jobLine(job, subject(job))),
    names: ({ items }) => items.map(({ id }) => id),
  })
}

async function showVerification(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const verification = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/verifications/{id}', { params: { path: { id } }, signal }),
  )
  printVerification(options, verification)
}

async function watchVerification(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const verification = await withBroker(command, async (context) => {
    const { client, signal } = context
    const { reference: title } = await client.get('/v1/verifications/{id}', {
      params: { path: { id } },
      signal,
    })
    return watchJob(context, { kind: 'verification', id, title })
  })
  printVerification(options, verification)
  process.exitCode = exitStatus(verification)
}

async function act(
  action: 'cancel' | 'retry',
  id: string,
  options: BrokerOptions,
  command: Command,
): Promise<void> {
  const verification = await withBroker(command, ({ client, signal }) =>
    client.post(`/v1/verifications/{id}/${action}`, { params: { path: { id } }, signal }),
  )
  printVerification(options, verification)
}

function printVerification(options: BrokerOptions, verification: JobOf<'verification'>): void {
  print(options, verification, {
    text: (job) =>
      `${jobLines(job, subject(job)).join('\n')}\n${job.report ? verificationText(job.report) : ''}`,
    names: ({ id, report }) => report?.reference ?? id,
  })
}

function subject({
  reference: image,
  source,
}: {
  readonly reference: string
  readonly source?: string
}): string {
  return source === undefined ? image : `${image} compared with ${source}`
}

/** A verification that found differences has succeeded as a job, and is a failure for the caller. */
function exitStatus({ state, report }: JobOf<'verification'>): number {
  return state === 'succeeded' && report?.verified ? 0 : 1
}
