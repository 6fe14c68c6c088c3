import { z } from 'zod'
import { ConversionOptions, RecordSource } from '../../conversion/request.ts'
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts'
import { isGlobPattern } from '../../records/glob/glob.ts'
import { Labels, PlatformName } from '../parameters.ts'

const Glob = z
  .string()
  .min(1)
  .max(300)
  .refine(
    isGlobPattern,
    'expected a glob: * and ? stay between slashes, ** crosses them, {a,b} are alternatives',
  )

const PLACEHOLDER = /\{([^{}]*)\}/g
const SAMPLE: Reference = parseReference('registry.example:5000/team/app:1.0')

/** What the placeholders of a target stand for. */
function placeholders(image: Reference): Readonly<Record<string, string>> {
  return {
    host: image.host,
    repository: image.repository,
    name: image.repository.slice(image.repository.lastIndexOf('/') + 1),
    tag: image.tag ?? 'latest',
  }
}

/** The target of a rule for an image. @throws InvalidReference when it is none */
export function targetFor(template: string, image: Reference): string {
  const values = placeholders(image)
  const text = template.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole)
  parseReference(text)
  return text
}

/** The target for the sample; undefined where the template makes none. */
function sampleTarget(template: string): Reference | undefined {
  try {
    return parseReference(targetFor(template, SAMPLE))
  } catch {
    return undefined
  }
}

function isImageItself(template: string): boolean {
  const target = sampleTarget(template)
  return target !== undefined && formatReference(target) === formatReference(SAMPLE)
}

const Target = z
  .string()
  .min(1)
  .max(600)
  .refine((template) => {
    const target = sampleTarget(template)
    return target?.tag !== undefined && target.digest === undefined
  }, 'expected a reference with a tag, in which {host}, {repository}, {name} and {tag} stand for those of the image')

const RuleFields = z
  .strictObject({
    name: z.string().min(1).max(100).describe('For people.'),
    enabled: z.boolean().default(true),
    source: Glob.describe('Of host and repository, such as `registry.example/team/**`.'),
    tags: z.array(Glob).min(1).max(50).default(['*']).describe('One of them has to match.'),
    exceptTags: z.array(Glob).max(50).default([]).describe('None of them may match.'),
    target: Target.describe('Such as `{host}/{repository}:{tag}-esgz`.'),
    platforms: z.array(PlatformName).min(1).max(50).optional(),
    record: RecordSource.optional(),
    onRecord: z
      .boolean()
      .default(false)
      .describe('Whether a new record for an image converts it again, with that record. Needs overwrite.'),
    options: ConversionOptions.optional(),
    overwrite: z.boolean().default(false),
    labels: Labels.default({}),
    priority: z.int().min(-100).max(100).default(0),
  })
  .refine(({ onRecord, overwrite }) => !onRecord || overwrite, {
    path: ['onRecord'],
    message: 'needs overwrite: the target stands for a conversion without that record',
  })
  .refine(({ target, overwrite }) => overwrite || !isImageItself(target), {
    path: ['target'],
    message: 'is the image itself, which needs overwrite',
  })

/** What is converted when it is pushed, and how. */
export const Rule = RuleFields.meta({
  id: 'Rule',
  description: 'What is converted when it is pushed, and how.',
})
export type Rule = z.output<typeof Rule>

/** A rule as it is asked for: what is left out is as usual. */
export const NewRule = RuleFields.meta({
  id: 'NewRule',
  description: 'What is converted when it is pushed, and how.',
  examples: [
    {
      name: 'everything of the team',
      source: 'registry.example/team/**',
      tags: ['v*'],
      target: '{host}/{repository}:{tag}-esgz',
      record: { match: {} },
    },
  ],
})
