import { join } from 'node:path'
import type { RecordFormat } from '../../records/model.ts'
import { startProgram, waitForExit } from './child-programs.ts'
import { startFatrace } from './fatrace.ts'
import { withDescendants } from './processes.ts'
import { runUntilStopped } from './run-until-stopped.ts'
import type { HeldProcess, Sandbox, SandboxedCommand } from './sandbox.ts'
import type { Tracer } from './select-tools.ts'
import { attachTo, copySandboxLog, traceCommand } from './strace.ts'

/** What to run, and how. */
export type CaptureRequest = {
  readonly tracer: Tracer
  /** A command of this machine, or one in an unpacked root. */
  readonly command: readonly string[]
  readonly sandboxed?: { readonly sandbox: Sandbox; readonly command: SandboxedCommand } | undefined
  /** The folder for the log. */
  readonly folder: string
  /** When to stop the command; default: at its end. */
  readonly seconds?: number | undefined
  /** Stops the command when it aborts. */
  readonly signal: AbortSignal
}

/** The log of a command that has ended. */
export type Capture = {
  readonly log: string
  readonly format: RecordFormat
  /** The folder that the paths in the log start with, if the command ran in it as its root. */
  readonly root: string | undefined
  /** Undefined if nobody knows it. */
  readonly status: number | undefined
  /** Whether the command was stopped before its end. */
  readonly wasStopped: boolean
}

/** Runs a command and records the files that it opens. @throws CommandError */
export function captureCommand(request: CaptureRequest): Promise<Capture> {
  return request.tracer === 'strace' ? captureWithStrace(request) : captureWithFatrace(request)
}

async function captureWithStrace(request: CaptureRequest): Promise<Capture> {
  const { command, sandboxed, folder } = request
  const log = join(folder, 'strace.log')
  if (!sandboxed) {
    const tracing = traceCommand(command, log)
    // Those that strace started: it detaches from them if it gets the signal itself.
    const { result: status, wasStopped } = await runUntilStopped(
      tracing.ended,
      () => withDescendants(tracing.pid).slice(1),
      request,
    )
    return { log, format: 'strace', root: undefined, status, wasStopped }
  }
  await using held = await sandboxed.sandbox.hold(sandboxed.command)
  const whole = join(folder, 'sandbox.log')
  const tracing = await attachTo(held.pid, whole)
  const { wasStopped } = await runHeld(held, request)
  // What the command left running ends with the sandbox. strace would follow it for as long as it runs.
  await held[Symbol.asyncDispose]()
  await tracing.ended
  const status = await copySandboxLog(whole, log)
  return { log, format: 'strace', root: undefined, status, wasStopped }
}

async function captureWithFatrace(request: CaptureRequest): Promise<Capture> {
  const { command, sandboxed, folder } = request
  const log = join(folder, 'fatrace.log')
  const watching = await startFatrace(log)
  try {
    if (sandboxed) {
      await using held = await sandboxed.sandbox.hold(sandboxed.command)
      const { result: status, wasStopped } = await runHeld(held, request)
      return { log, format: 'fatrace', root: sandboxed.command.root, status, wasStopped }
    }
    const [program = '', ...args] = command
    const child = startProgram(program, args)
    const { result: status, wasStopped } = await runUntilStopped(
      waitForExit(child),
      () => (child.pid === undefined ? [] : [child.pid]),
      request,
    )
    return { log, format: 'fatrace', root: undefined, status, wasStopped }
  } finally {
    await watching.stop()
  }
}

function runHeld(held: HeldProcess, request: CaptureRequest) {
  return runUntilStopped(held.run(), () => [held.pid], request)
}
