/** A command to run in an unpacked root. */
export type SandboxedCommand = {
  /** The folder that becomes the root. */
  readonly root: string
  readonly command: readonly string[]
  /** `NAME=value` each. */
  readonly environment: readonly string[]
  /** An absolute path in the root. */
  readonly workingDirectory: string
}

/** A process that waits before it runs its command, so that a tracer can attach to it first. */
export interface HeldProcess {
  /** The process to attach to, in the numbers of this machine. */
  readonly pid: number
  /**
   * Runs the command. Resolves when the sandbox has ended, with the exit status of the command if the sandbox
   * knows it.
   */
  run(): Promise<number | undefined>
  /** Ends everything in the sandbox, and removes it. May be called more than once. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A program that runs commands in a root of their own. */
export type Sandbox = {
  readonly name: 'bubblewrap' | 'podman' | 'runc'
  /** The program in the PATH. */
  readonly program: string
  /** @throws CommandError */
  readonly hold: (command: SandboxedCommand) => Promise<HeldProcess>
}
