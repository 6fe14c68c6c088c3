import { z } from 'zod'
import type { Reference } from '../../oci/reference.ts'

/** Maximum number of refusals in one response. */
export const MAX_REFUSALS = 1000

const Refusal = z.object({ ruleId: z.string(), code: z.string(), message: z.string() })
export type Refusal = z.infer<typeof Refusal>

const PushOutcomeView = z.object({
  image: z.string(),
  conversions: z.array(z.object({ ruleId: z.string(), id: z.string() })),
  refused: z
    .array(Refusal)
    .optional()
    .describe(
      `Rules of projects that may read the image, and that cannot convert it, with the reason. Other rules are not affected. A response lists at most ${MAX_REFUSALS} refusals in total.`,
    ),
  ignored: z.string().optional().describe('Why the image is not converted.'),
})

export const PushOutcomesView = z.object({ items: z.array(PushOutcomeView) }).meta({
  id: 'PushOutcomes',
  description: 'The conversions that the reported pushes started.',
  examples: [{ items: [{ image: 'registry.example/team/app:1.0', conversions: [] }] }],
})

/** The outcome of one push. It is filled in as the rules are evaluated one by one. */
export type PushOutcome = {
  readonly name: string
  readonly digest: string | undefined
  /** The image that rules are matched against; undefined if the push is ignored. */
  readonly image: Reference | undefined
  /** Whether the broker pushed it itself, so that it is not converted. */
  readonly isOwn?: boolean | undefined
  readonly conversions: { readonly ruleId: string; readonly id: string }[]
  readonly refused: Refusal[]
  /** Why the image is not converted, unless `conversions` has items. */
  ignoredReason: string
}

export function pushOutcomeView({
  name,
  conversions,
  refused,
  ignoredReason,
}: PushOutcome): z.infer<typeof PushOutcomeView> {
  return {
    image: name,
    conversions,
    ...(refused.length > 0 && { refused }),
    ...(conversions.length === 0 && { ignored: ignoredReason }),
  }
}
