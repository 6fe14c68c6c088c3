import { Readable } from 'node:stream'
import type { FoundInImage, RecordEvaluation } from '../records/evaluation.ts'
import { ask, type Common, print, queryOf, send } from './broker.ts'
import { evaluationText } from './output.ts'
import { openProfile } from './profile-file.ts'

/** What the broker's API answers about a record, as far as it is shown here. */
export type Shown = {
  readonly id: string
  readonly digest: string
  readonly image?: string
  readonly workload?: string
  readonly entries: number
  readonly warnings?: readonly string[]
  readonly roots?: readonly { readonly root: string; readonly paths: number }[]
  readonly inImage?: FoundInImage
  readonly createdAt: string
  readonly publications: readonly { readonly reference: string; readonly digest: string }[]
}

export async function pushRecord(
  path: string,
  options: Common & {
    readonly image?: string
    readonly workload?: string
    readonly format?: string
    readonly workingDirectory?: string
    readonly root?: string
    readonly exclude?: string[]
    readonly label?: string[]
    readonly publish?: string | true
  },
): Promise<void> {
  const query = queryOf({
    image: options.image,
    workload: options.workload,
    format: options.format,
    workingDirectory: options.workingDirectory,
    root: options.root,
    exclude: options.exclude,
    label: options.label,
    publish: options.publish === true ? 'true' : options.publish,
  })
  const { bytes, encoding } = await openProfile(path)
  const body = { body: Readable.from(bytes), type: 'text/plain', encoding }
  const record = await ask<Shown>(options, 'POST', `/v1/records${query}`, body)
  print(options, record, recordText)
}

export async function publishRecord(
  id: string,
  reference: string | undefined,
  options: Common & { readonly overwrite?: boolean },
): Promise<void> {
  const body = JSON.stringify({
    ...(reference && { reference }),
    ...(options.overwrite && { overwrite: true }),
  })
  const path = `/v1/records/${encodeURIComponent(id)}/publications`
  const made = await ask<Shown['publications'][number]>(options, 'POST', path, {
    body,
    type: 'application/json',
  })
  print(options, made, (one) => `${one.reference}@${one.digest}\n`)
}

export async function listRecords(
  options: Common & {
    readonly image?: string
    readonly workload?: string
    readonly label?: string[]
    readonly limit: string
  },
): Promise<void> {
  const { image, workload, label, limit } = options
  const query = queryOf({ image, workload, label, limit })
  const page = await ask<{ items: Shown[] }>(options, 'GET', `/v1/records${query}`)
  print(options, page, ({ items }) => items.map(recordText).join(''))
}

/** Shows what a record is worth in an image. */
export async function evaluateRecord(
  id: string,
  image: string,
  options: Common & { readonly platform?: string[] },
): Promise<void> {
  const body = JSON.stringify({ image, ...(options.platform && { platforms: options.platform }) })
  const path = `/v1/records/${encodeURIComponent(id)}/evaluations`
  const json = 'application/json'
  const found = await ask<RecordEvaluation>(options, 'POST', path, { body, type: json })
  print(options, found, evaluationText)
}

export async function showRecord(
  id: string,
  options: Common & { readonly content?: true | string },
): Promise<void> {
  const path = `/v1/records/${encodeURIComponent(id)}`
  const { content } = options
  const query = queryOf({ format: content === true ? undefined : content })
  if (content !== undefined) process.stdout.write(await send(options, 'GET', `${path}/content${query}`))
  else print(options, await ask<Shown>(options, 'GET', path), recordText)
}

export function recordText(record: Shown): string {
  const of = [record.image, record.workload].filter(Boolean).join(' ')
  const lines = [`${record.id} ${record.createdAt} ${record.entries} entries ${of}`.trimEnd()]
  for (const { reference, digest } of record.publications) lines.push(`  ${reference}@${digest}`)
  for (const { root, paths } of record.roots ?? []) lines.push(`  ${root} was cut off ${paths} paths`)
  for (const { platform, paths, found } of record.inImage?.platforms ?? []) {
    lines.push(`  ${platform}: the image has ${found} of ${paths} paths`)
  }
  if (record.inImage?.warning) lines.push(`  warning: ${record.inImage.warning}`)
  if (record.inImage?.unknown)
    lines.push(`  how many paths the image has is not known: ${record.inImage.unknown}`)
  for (const warning of record.warnings ?? []) lines.push(`  warning: ${warning}`)
  return `${lines.join('\n')}\n`
}
