import { z } from 'zod'
import type { StoredCredential } from '../../access/credentials/credential-store.ts'
import { ProjectName } from '../../access/projects/project.ts'
import { parseHost } from '../../oci/reference.ts'
import { isoTime, PageQuery, Timestamp } from '../parameters.ts'

/** Long enough for the keys of service accounts, which some clouds use as passwords. */
const MAX_PASSWORD = 16_384

/** A registry as references name it, `name[:port]`. */
export const RegistryHostName = z
  .string()
  .min(1)
  .max(300)
  .superRefine((text, context) => {
    try {
      parseHost(text)
    } catch {
      context.addIssue({ code: 'custom', message: 'expected the host of a registry, name[:port]' })
    }
  })
  .describe('The registry as references name it: `name[:port]`; Docker Hub is `docker.io`.')

const Username = z
  .string()
  .min(1)
  .max(300)
  // Control characters are refused apart: readers of the API document know no classes of Unicode.
  .regex(/^[^:]+$/, 'expected a name without colons')
  .refine((text) => !/\p{Cc}/u.test(text), 'expected a name without control characters')
  .describe('The user name. `<token>` means that the password is an identity token, as docker has it.')

export const NewCredential = z
  .strictObject({
    username: Username,
    password: z
      .string()
      .min(1)
      .max(MAX_PASSWORD)
      .refine((text) => !text.includes('\0'), 'contains a NUL byte')
      .describe('The password or token. No response shows it.'),
  })
  .meta({
    id: 'NewRegistryCredential',
    description: 'What a registry accepts.',
    examples: [{ username: 'robot', password: 'the-token-of-the-robot' }],
  })

export const CredentialView = z
  .object({
    project: ProjectName,
    host: z.string(),
    username: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({
    id: 'RegistryCredential',
    description: 'The credential of a project for a registry, without its password.',
  })

export const CredentialPage = z
  .object({ items: z.array(CredentialView), next: z.string().optional() })
  .meta({ id: 'RegistryCredentialPage', description: 'A page of registry credentials.' })

export const CredentialQuery = z.object({
  ...PageQuery,
  cursor: z
    .string()
    .max(400)
    .regex(/^[^ /]+\/[^ /]+$/)
    .optional()
    .describe('The value of `next` in the previous page.'),
})

export function credentialView(credential: StoredCredential): z.output<typeof CredentialView> {
  const { project, host, username, createdAt, updatedAt } = credential
  return { project, host, username, createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) }
}
