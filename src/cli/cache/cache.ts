import { type Command, InvalidArgumentError } from 'commander'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { count, host } from '../arguments.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { CommandError } from '../failures/errors.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { bytesText, percentText } from '../text/quantities.ts'

type Cache = ResponseDocument<'get', '/v1/cache'>
type Counts = ResponseDocument<'delete', '/v1/cache'>
type ClearOptions = BrokerOptions & {
  readonly registry?: string
  readonly repository?: string
  readonly digest?: string
  readonly all?: boolean
}

/** Adds `cache show`, `check` and `clear`. */
export function addCacheCommands(program: Command): void {
  const cache = program.command('cache').description('manage what a broker has converted before')
  addBrokerOptions(
    cache
      .command('show')
      .description('show what the cache holds, and how often conversions found what they needed')
      .option('--days <count>', 'the days to count uses for, 1 to 90, including today', days, 7),
  ).action(showCache)
  addBrokerOptions(
    cache.command('check').description('compare all entries with their registries now, and not within a day'),
  ).action(checkCache)
  describeCommand(
    addBrokerOptions(
      cache
        .command('clear')
        .description('remove entries from the cache; blobs and tags stay in their registries')
        .option('--registry <host>', 'only entries of this registry', host)
        .option('--repository <name>', 'only entries of this repository, without its registry')
        .option('--digest <digest>', 'only the entry with this converted layer, manifest or index')
        .option('--all', 'all entries'),
    ).action(clearCache),
    {
      examples: [
        [
          'cache clear --registry registry.example --repository team/app',
          'forget the results of one repository',
        ],
      ],
      settings: ['commands'],
    },
  )
}

function days(text: string): number {
  const value = count(text)
  if (value < 1 || value > 90) throw new InvalidArgumentError('expected 1 to 90 days')
  return value
}

async function showCache(
  options: BrokerOptions & { readonly days: number },
  command: Command,
): Promise<void> {
  const cache = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/cache', { params: { query: { days: options.days } }, signal }),
  )
  print(options, cache, { text: cacheText, names: () => [] })
}

async function checkCache(options: BrokerOptions, command: Command): Promise<void> {
  const counts = await withBroker(command, ({ client, signal }) => client.post('/v1/cache/check', { signal }))
  printCounts(options, counts, 'will be checked')
}

async function clearCache(options: ClearOptions, command: Command): Promise<void> {
  const { registry, repository, digest, all } = options
  const query = {
    ...(registry && { registry }),
    ...(repository && { repository }),
    ...(digest && { digest }),
  }
  const isFiltered = Object.keys(query).length > 0
  if (isFiltered === (all ?? false)) {
    throw new CommandError('usage', 'give either --all, or some of --registry, --repository and --digest')
  }
  const counts = await withBroker(command, ({ client, signal }) =>
    client.delete('/v1/cache', { params: { query }, signal }),
  )
  printCounts(options, counts, 'removed')
}

function printCounts(options: BrokerOptions, counts: Counts, outcome: string): void {
  print(options, counts, {
    text: ({ layerCount, imageCount }) => `${layerCount} layers and ${imageCount} images ${outcome}\n`,
    names: () => [],
  })
}

function cacheText({ layers, images, days: period, uses }: Cache): string {
  const lines = (['images', 'layers'] as const).map((kind) => {
    const { hitRate, bytesReused } = uses[kind]
    const rate =
      hitRate === undefined ? 'not used' : `${percentText(hitRate)} found, ${bytesText(bytesReused)} reused`
    const total = kind === 'images' ? images : layers
    return `${total.entryCount} ${kind}, ${bytesText(total.bytes)}; in ${period} days: ${rate}\n`
  })
  return lines.join('')
}
