import { ConfigError } from '../../app/config/config.ts'
import { statusOfSignal } from '../../app/stop-signals.ts'
import { CommandError, type FailureKind, InterruptedError } from './errors.ts'

const STATUS: Readonly<Record<FailureKind, number>> = {
  failed: 1,
  usage: 2,
  refused: 3,
  unauthorized: 4,
  unavailable: 5,
}

/** Every exit status and its meaning, for the help and the documentation. */
export const EXIT_STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ['0', 'the command succeeded'],
  [
    '1',
    'the result is a failure: a conversion or a batch failed or was cancelled, a verification found differences, an image is damaged, or a server did not start',
  ],
  ['2', 'the arguments, a setting or a file that was given are wrong'],
  ['3', 'the broker or the registry has not found what was named, or refuses the request'],
  ['4', 'the broker or the registry requires a login, or refuses the credentials'],
  ['5', 'the broker or the registry cannot be reached, or is busy: the same command may succeed later'],
  ['130', 'interrupted by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP'],
]

/** The kinds of failures by the codes of the errors that local commands meet. Other codes are `failed`. */
const KINDS: ReadonlyMap<string, FailureKind> = new Map(
  (
    [
      [
        'usage',
        ['INVALID_REFERENCE', 'INVALID_RECORD', 'INVALID_ENCODING', 'UNKNOWN_FORMAT', 'RECORD_TOO_LARGE'],
      ],
      ['usage', ['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR']],
      ['refused', ['NOT_FOUND', 'RECORD_NOT_FOUND', 'PLATFORM_NOT_FOUND', 'HOST_NOT_ALLOWED', 'BAD_REQUEST']],
      ['refused', ['REPOSITORY_NOT_ALLOWED', 'PROJECT_NOT_FOUND', 'PROJECT_IN_USE', 'TOKEN_NOT_USABLE']],
      ['refused', ['TARGET_EXISTS', 'TAG_EXISTS', 'CONFLICT', 'TOO_LARGE', 'LIMIT_EXCEEDED']],
      ['unauthorized', ['UNAUTHORIZED', 'DENIED', 'CREDENTIALS']],
      ['unavailable', ['NETWORK', 'UNAVAILABLE', 'RATE_LIMITED', 'INVALID_RESPONSE', 'QUOTA_EXCEEDED']],
      ['unavailable', ['STORAGE_FULL', 'SCRATCH_FULL', 'TAG_CHANGED', 'DATABASE_UNAVAILABLE', 'ENOSPC']],
    ] as const
  ).flatMap(([kind, codes]) => codes.map((code): [string, FailureKind] => [code, kind])),
)

/** Returns the exit status for what a command threw. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof InterruptedError) return statusOfSignal(error.signal)
  return STATUS[kindOf(error)]
}

function kindOf(error: unknown): FailureKind {
  if (error instanceof CommandError) return error.kind
  if (error instanceof ConfigError) return 'usage'
  const { code } = error as { code?: unknown }
  return kindOfCode(code) ?? 'failed'
}

/** Returns the kind of a failure by its code; undefined for codes that say nothing about it. */
export function kindOfCode(code: unknown): FailureKind | undefined {
  return typeof code === 'string' ? KINDS.get(code) : undefined
}
