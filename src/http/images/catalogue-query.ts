import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { CatalogueFilter } from '../../catalogue/listed-images.ts'
import { wordsOf } from '../../db/terms/words.ts'
import { parseReference, ReferenceText } from '../../oci/reference.ts'
import { analysisContext } from '../access/analysis-context.ts'
import { canonicalImage, LabelQuery, parseLabels } from '../parameters.ts'
import type { Services } from '../services.ts'

export const SearchText = z
  .string()
  .max(200)
  .refine((text) => wordsOf(text).length > 0, 'expected a letter or a digit')

/** The filters that the listings of the catalogue have in common. */
export const catalogueQuery = {
  repository: ReferenceText.optional().describe(
    'A repository as `host/name`, or the name of a repository in the backing registry.',
  ),
  label: LabelQuery.optional(),
  fresh: z
    .enum(['true', 'false'])
    .default('false')
    .describe(
      'true: compares the repository, the image, or else the whole backing registry with the catalogue first, which takes requests to the registry. false: the catalogue as it is.',
    ),
}

type Query = {
  readonly repository?: string | undefined
  readonly label?: string | string[] | undefined
  readonly image?: string | undefined
  readonly text?: string | undefined
}

/** What a listing selects. The image is in its canonical form. */
type ListingFilter = CatalogueFilter & { readonly image?: string }

/** @param defaultRegistry the registry of a repository that is named without one */
export function catalogueFilter(
  { repository, label, image, text }: Query,
  defaultRegistry: string,
): ListingFilter {
  return {
    ...(repository !== undefined && { repository: parseLocation(repository, defaultRegistry) }),
    ...(label !== undefined && { labels: parseLabels(label) }),
    ...(image !== undefined && { image: canonicalImage(image) }),
    ...(text !== undefined && { text }),
  }
}

/** Compares what a filter selects with its registry first, if the query asks for that. */
export async function refreshIfAsked(
  analyses: Services['analyses'],
  fresh: 'true' | 'false',
  { repository, image }: ListingFilter,
  request: FastifyRequest,
): Promise<void> {
  if (fresh === 'true') await analyses.refreshCatalogue({ repository, image }, analysisContext(request))
}

/** The first part is a host if it looks like one; otherwise the whole name is in the default registry. */
function parseLocation(text: string, defaultRegistry: string) {
  const [first = '', ...others] = text.split('/')
  const hasHost = others.length > 0 && /[.:]|^localhost$/.test(first)
  const { host, repository } = parseReference(hasHost ? text : `${defaultRegistry}/${text}`)
  return { host, repository }
}
