/** A command that cannot be done as it was given. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}
