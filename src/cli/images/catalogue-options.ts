import type { Command } from 'commander'
import { collect, label } from '../arguments.ts'
import type { PeriodOptions } from '../broker/list-options.ts'

/** The options that the lists of images and of record images have in common. */
export type CatalogueOptions = PeriodOptions & {
  readonly image?: string
  readonly repository?: string
  readonly text?: string
  readonly label?: string[]
  readonly fresh?: boolean
  readonly limit: number
}

/** Adds those of these options that mean the same in both lists. */
export function addCatalogueOptions(command: Command): Command {
  return command
    .option('--repository <name>', 'those of this repository, with or without its registry')
    .option('--text <words>', 'those whose names have words that start with these')
    .option('--label <key=value>', 'those with this label; can be given more than once', collect(label))
    .option('--fresh', 'compare with the registry first; default: as the broker knows them')
}

/** Returns the query that these options fill, but for the times, which differ. */
export function catalogueQuery({ image, repository, text, label: labels, fresh }: CatalogueOptions) {
  return {
    ...(image && { image }),
    ...(repository && { repository }),
    ...(text && { text }),
    ...(labels && { label: labels }),
    ...(fresh && { fresh: 'true' as const }),
  }
}
