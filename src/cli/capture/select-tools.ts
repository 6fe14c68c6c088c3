import { CommandError } from '../failures/errors.ts'
import { BUBBLEWRAP } from './bubblewrap.ts'
import { findProgram } from './child-programs.ts'
import { PODMAN } from './podman.ts'
import { RUNC } from './runc.ts'
import type { Sandbox } from './sandbox.ts'

/** The programs that record opens, the preferred one first: fatrace sees all processes of the machine. */
export const TRACERS = ['strace', 'fatrace'] as const
export type Tracer = (typeof TRACERS)[number]

/** The preferred one first: bubblewrap needs the least. */
const ALL_SANDBOXES: readonly Sandbox[] = [BUBBLEWRAP, PODMAN, RUNC]
export const SANDBOXES = ALL_SANDBOXES.map(({ name }) => name)

/**
 * Returns the tracer with this name, or the first that is installed.
 * @param path the folders of programs, as in PATH
 * @throws CommandError that names what to install
 */
export function selectTracer(wanted: string | undefined, path: string): Tracer {
  const candidates = TRACERS.filter((name) => wanted === undefined || name === wanted)
  const found = candidates.find((name) => findProgram(name, path) !== undefined)
  if (found !== undefined) return found
  throw new CommandError('usage', `install ${candidates.join(' or ')}: none is in the PATH`)
}

/** As {@link selectTracer}, for what runs commands in an unpacked root. */
export function selectSandbox(wanted: string | undefined, path: string): Sandbox {
  const candidates = ALL_SANDBOXES.filter(({ name }) => wanted === undefined || name === wanted)
  const found = candidates.find(({ program }) => findProgram(program, path) !== undefined)
  if (found) return found
  const names = candidates.map(({ name, program }) => (name === program ? name : `${name} (${program})`))
  throw new CommandError('usage', `install ${names.join(', ')}: --image needs one, and none is in the PATH`)
}
