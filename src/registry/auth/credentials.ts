/** The credentials of one registry, sent to the registry itself or to its token server. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string }

/** The user name that means an identity token in docker's credential helper protocol. */
export const IDENTITY_TOKEN_USER = '<token>'

/** Returns the credentials for a registry host as references name it; undefined for anonymous access. */
export type CredentialSource = (host: string) => Promise<Credentials | undefined>

/** Credentials are configured but cannot be read. The message never contains a secret. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError'
  readonly code = 'CREDENTIALS'
}
