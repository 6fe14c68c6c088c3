import type { Command } from 'commander'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { count, reference } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption, addPeriodOptions } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { exactName } from '../text/exact-name.ts'
import { bytesText, countText } from '../text/quantities.ts'
import { inspectionText } from '../text/report-text.ts'
import { addCatalogueOptions, type CatalogueOptions, catalogueQuery } from './catalogue-options.ts'

type Relations = ResponseDocument<'get', '/v1/image-relations'>

type ListOptions = BrokerOptions & CatalogueOptions

/** Adds `image list`, `image show` and `image relations`. */
export function addServerImageCommands(program: Command): void {
  const image = program.command('image').description('look at images with a broker')
  const list = image
    .command('list')
    .description('list the images that the broker knows, those first that were seen last')
    .option('--image <reference>', 'those with this reference, repository or digest')
  addPeriodOptions(list, 'those first seen')
  addCatalogueOptions(list)
  describeCommand(addBrokerOptions(addLimitOption(list, 'images')).action(listImages), {
    examples: [['image list --repository team/app --limit 10', 'which images were converted, and of what']],
    settings: ['commands'],
  })
  describeCommand(
    addBrokerOptions(
      image
        .command('show')
        .description('show the eStargz layers and the prioritized files of an image')
        .argument('<reference>', 'the image', reference),
    ).action(showImage),
    {
      examples: [['image show registry.example/team/app:1.0-esgz', 'with the credentials of the broker']],
      settings: ['commands'],
    },
  )
  addBrokerOptions(
    image
      .command('relations')
      .description('show the record images of an image, the conversions of it, and those that made it')
      .argument('<image>', 'a reference or a digest')
      .option('--limit <count>', 'the maximum number of each', count, 20),
  ).action(showRelations)
}

async function listImages(options: ListOptions, command: Command): Promise<void> {
  const { since, until, limit } = options
  const query = {
    ...catalogueQuery(options),
    ...(since && { seenFrom: since }),
    ...(until && { seenBefore: until }),
  }
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/images', { limit, query, signal }),
  )
  print(options, list, {
    text: (result) => listText(result, imageText),
    names: ({ items }) => items.map(exactName),
  })
}

type ListedImage = {
  readonly reference: string
  readonly digest: string
  readonly kind: string
  readonly size?: number | undefined
  readonly estargz?: boolean | undefined
  readonly recordImageCount: number
  readonly seenAt: string
  readonly problem?: string | undefined
  readonly convertedFrom?: { readonly source: string } | undefined
  readonly latestConversion?: { readonly target: string } | undefined
}

function imageText(item: ListedImage): string {
  const facts = [
    item.seenAt,
    item.kind,
    item.size === undefined ? undefined : bytesText(item.size),
    item.estargz ? 'eStargz' : undefined,
    item.recordImageCount === 0 ? undefined : countText(item.recordImageCount, 'record image'),
    item.convertedFrom && `converted from ${item.convertedFrom.source}`,
    item.latestConversion && `converted to ${item.latestConversion.target}`,
    item.problem,
  ]
  return `${exactName(item)}\n  ${facts.filter(Boolean).join(', ')}\n`
}

async function showImage(image: string, options: BrokerOptions, command: Command): Promise<void> {
  const inspection = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/images/{reference}', { params: { path: { reference: image } }, signal }),
  )
  print(options, inspection, {
    text: inspectionText,
    names: ({ digest }) => digest,
  })
}

async function showRelations(
  image: string,
  options: BrokerOptions & { readonly limit: number },
  command: Command,
): Promise<void> {
  const query = { image, limit: options.limit }
  const relations = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/image-relations', { params: { query }, signal }),
  )
  print(options, relations, { text: relationsText, names: ({ digests }) => digests })
}

function belongingText({ reference: name, match }: Relations['recordImages']['items'][number]): string {
  return match === 'repository' ? `${name} (of another image of the repository)` : name
}

function relationsText({ image, recordImages, conversions, convertedFrom, usedBy }: Relations): string {
  const conversion = ({ source, target }: { source: string; target: string }) => `${source} to ${target}`
  const groups: readonly (readonly [string, readonly string[]])[] = [
    ['record images', recordImages.items.map(belongingText)],
    ['converted to', conversions.items.map(conversion)],
    ['made by', convertedFrom.items.map(conversion)],
    ['used as a record by', usedBy.items.map(conversion)],
  ]
  const lines = groups.flatMap(([name, items]) =>
    items.length === 0 ? [] : [`  ${name}:`, ...items.map((item) => `    ${item}`)],
  )
  return `${[image, ...lines].join('\n')}\n`
}
