import { z } from 'zod'
import { ConversionOptions, ConversionRecord } from '../../conversion/request.ts'
import { isGlobPattern } from '../../records/glob/glob.ts'
import { Labels, PlatformName } from '../parameters.ts'
import { isSourceTemplate, isTargetTemplate } from './target-template.ts'

/** Long enough for any name: a host, a repository of up to 255 characters, or a tag of up to 128. */
const MAX_GLOB_LENGTH = 300

const Glob = z
  .string()
  .min(1)
  .max(MAX_GLOB_LENGTH)
  .refine(
    isGlobPattern,
    'expected a glob: * and ? do not match slashes, ** does, {a,b} matches either alternative',
  )

/** A rule: which pushed images are converted, and how. */
export const Rule = z
  .strictObject({
    name: z.string().min(1).max(100).describe('A name for people.'),
    enabled: z.boolean().default(true),
    source: Glob.describe(
      'A glob that the host and repository must match, such as `registry.example/team/**`.',
    ),
    tags: z
      .array(Glob)
      .min(1)
      .max(50)
      .default(['*'])
      .describe('Globs for the tag. At least one of them must match.'),
    exceptTags: z
      .array(Glob)
      .max(50)
      .default([])
      .describe('Globs for tags to exclude. None of them may match.'),
    target: z
      .string()
      .min(1)
      .max(600)
      .refine(
        isTargetTemplate,
        'expected a reference with a tag; {host}, {repository}, {name} and {tag} are replaced by those of the image',
      )
      .describe('A template for the target, such as `{host}/{repository}:{tag}-esgz`.'),
    platforms: z.array(PlatformName).min(1).max(50).optional(),
    record: ConversionRecord.optional(),
    onRecord: z
      .boolean()
      .default(false)
      .describe(
        'Whether a new record for an image converts the image again, with that record. Requires `overwrite`.',
      ),
    options: ConversionOptions.optional(),
    overwrite: z.boolean().default(false),
    labels: Labels.default({}),
    priority: z.int().min(-100).max(100).default(0),
  })
  .refine(({ onRecord, overwrite }) => !onRecord || overwrite, {
    path: ['onRecord'],
    message: 'requires overwrite: the target tag already refers to a conversion without the new record',
  })
  .refine(({ target, overwrite }) => overwrite || !isSourceTemplate(target), {
    path: ['target'],
    message: 'expands to the image itself, which requires overwrite',
  })

export type Rule = z.output<typeof Rule>

/** The body of a request to create or replace a rule. Omitted fields have defaults. */
export const NewRule = Rule.meta({
  id: 'NewConversionRule',
  description: 'Selects pushed images and specifies how they are converted.',
  examples: [
    {
      name: 'all images of the team',
      source: 'registry.example/team/**',
      tags: ['v*'],
      target: '{host}/{repository}:{tag}-esgz',
      record: { match: {} },
    },
  ],
})
