import { z } from 'zod'
import { DEFAULT_PROJECT } from '../../db/project-scope.ts'
import { parseRepositoryPattern, RepositoryPatterns } from '../repository-patterns.ts'

/** A project's name: a DNS label (RFC 1123), so that it also serves as a folder and in a header. */
export const ProjectName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'expected up to 63 lower-case letters, digits, and - between them',
  )
  .meta({ id: 'ProjectName', description: 'The name of a project.', examples: ['team-a'] })

const MAX_PATTERNS = 100

/** A pattern of repositories, see `parseRepositoryPattern`. */
export const RepositoryPatternText = z
  .string()
  .max(600)
  .superRefine((text, context) => {
    try {
      parseRepositoryPattern(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
  .meta({
    id: 'RepositoryPattern',
    description:
      'Repositories: `host/repository`, `host/path/**` for those below a path, `host/**` for those of a registry, or `**` for all. The host `embedded` is the registry of the broker itself.',
    examples: ['registry.example/team-a/**'],
  })

export const RepositoryPatternList = z.array(RepositoryPatternText).max(MAX_PATTERNS)

const bound = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

/** The most that a project may use. A missing value is no limit. */
export const Quotas = z
  .strictObject({
    records: bound.optional().describe('Stored records.'),
    queuedJobs: bound.optional().describe('Jobs in the queue.'),
    runningJobs: bound.min(1).optional().describe('Jobs that run at the same time.'),
    storedBytes: bound.optional().describe('Bytes in the embedded registry.'),
  })
  .meta({ id: 'Quotas', description: 'The most that a project may use. A missing value is no limit.' })
export type Quotas = z.infer<typeof Quotas>

/** What an administrator says about a project. */
export const ProjectRules = z
  .strictObject({
    description: z.string().max(500).default('').describe('A text for people.'),
    read: RepositoryPatternList.default([]).describe('The repositories that it may read.'),
    write: RepositoryPatternList.default([]).describe(
      'The repositories that it may write and delete, and so read.',
    ),
    usesDockerConfig: z
      .boolean()
      .default(false)
      .describe("Whether its jobs may use the registry credentials of the broker's docker config."),
    quotas: Quotas.default({}),
  })
  .meta({
    id: 'ProjectRules',
    description: 'What a project may use.',
    examples: [
      { read: ['registry.example/**'], write: ['registry.example/team-a/**'], quotas: { records: 1000 } },
    ],
  })
export type ProjectRules = z.output<typeof ProjectRules>

/** A project: those who share a broker with others, and what is theirs. Times are in milliseconds since 1970. */
export type Project = ProjectRules & {
  readonly name: string
  /** What it may read. This includes what it may write. */
  readonly readable: RepositoryPatterns
  readonly writable: RepositoryPatterns
  readonly createdAt: number
  readonly updatedAt: number
}

/** The rules of the default project until an administrator changes them: it may do what the broker may. */
export const DEFAULT_PROJECT_RULES: ProjectRules = {
  description: 'Everything that belongs to no other project.',
  read: ['**'],
  write: ['**'],
  usesDockerConfig: true,
  quotas: {},
}

/** @throws InvalidPatternError */
export function toProject(
  name: string,
  rules: ProjectRules,
  { createdAt, updatedAt }: Pick<Project, 'createdAt' | 'updatedAt'>,
): Project {
  const read = new RepositoryPatterns(rules.read)
  const writtenOnly = rules.write.filter((pattern) => !read.covers(new RepositoryPatterns([pattern])))
  return {
    ...rules,
    name,
    readable: new RepositoryPatterns([...rules.read, ...writtenOnly]),
    writable: new RepositoryPatterns(rules.write),
    createdAt,
    updatedAt,
  }
}

/** The default project as it is without a stored one. */
export const UNSTORED_DEFAULT_PROJECT = toProject(DEFAULT_PROJECT, DEFAULT_PROJECT_RULES, {
  createdAt: 0,
  updatedAt: 0,
})
