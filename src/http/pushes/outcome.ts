import { z } from 'zod'
import type { Reference } from '../../oci/reference.ts'

/** Refusals that one answer names. */
export const MAX_REFUSALS = 1000

const Refusal = z.object({ rule: z.string(), code: z.string(), message: z.string() })
export type Refusal = z.infer<typeof Refusal>

const Outcome = z.object({
  image: z.string(),
  conversions: z.array(z.object({ rule: z.string(), id: z.string() })),
  refused: z
    .array(Refusal)
    .optional()
    .describe(
      `Rules that cannot convert it, and why; the first ${MAX_REFUSALS} over all images. The others convert it all the same.`,
    ),
  ignored: z.string().optional().describe('Why nothing is converted.'),
})

export const Outcomes = z.object({ items: z.array(Outcome) }).meta({
  id: 'PushOutcomes',
  description: 'What became of pushes that a registry told of.',
  examples: [{ items: [{ image: 'registry.example/team/app:1.0', conversions: [] }] }],
})

/** What becomes of a push, as one rule after the other says. */
export type PushOutcome = {
  readonly name: string
  readonly digest: string | undefined
  /** What rules are held against; undefined: none is. */
  readonly image: Reference | undefined
  readonly conversions: { readonly rule: string; readonly id: string }[]
  readonly refused: Refusal[]
  /** Why nothing is converted, as far as is known. */
  why: string
}

export function outcomeView({ name, conversions, refused, why }: PushOutcome): z.infer<typeof Outcome> {
  return {
    image: name,
    conversions,
    ...(refused.length > 0 && { refused }),
    ...(conversions.length === 0 && { ignored: why }),
  }
}
