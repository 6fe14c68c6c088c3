import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import xterm from '@xterm/headless'
import { expect } from 'vitest'

/** How long something may take to appear, on a busy machine. */
const WAIT_MS = 60_000

/** Starts a control sequence. */
export const ESCAPE = '\u001b'
/** Shows or hides the cursor. */
const CURSOR_STATE = new RegExp(`${ESCAPE}\\[\\?25([hl])`, 'g')

type Size = { readonly columns: number; readonly rows: number }

/**
 * A command on a pseudo terminal, and what a person would see. `script` of util-linux makes the terminal, and
 * xterm.js interprets what the command writes.
 */
export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #screen: InstanceType<typeof xterm.Terminal>
  readonly #exited: Promise<unknown[]>
  #device = ''
  #output = ''
  #isCursorHidden = false

  private constructor(child: ChildProcess, { columns, rows }: Size) {
    this.#child = child
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 })
    // Programs ask the terminal what it can do, and wait for its answer.
    this.#screen.onData((answer) => this.type(answer))
    this.#exited = once(child, 'close')
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text))
  }

  /** Starts a command. The environment has nothing but PATH, HOME, TERM and `environment`. */
  static async start(
    command: readonly string[],
    environment: Readonly<Record<string, string | undefined>>,
    size: Size = { columns: 100, rows: 24 },
  ): Promise<Terminal> {
    const setUp = `stty cols ${size.columns} rows ${size.rows}; echo "device=$(tty)"; exec ${command.map(quoted).join(' ')}`
    const child = spawn('script', ['--quiet', '--return', '--flush', '--command', setUp, '/dev/null'], {
      env: { PATH: process.env.PATH, TERM: 'xterm-256color', SHELL: '/bin/sh', ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const terminal = new Terminal(child, size)
    await expect.poll(() => terminal.#device, { timeout: WAIT_MS }).not.toBe('')
    return terminal
  }

  /** Everything that the command has written, with its control sequences. */
  get output(): string {
    return this.#output
  }

  get isCursorHidden(): boolean {
    return this.#isCursorHidden
  }

  /** The lines that are visible, without the empty ones at the end. */
  lines(): string[] {
    const { active } = this.#screen.buffer
    const lines = Array.from({ length: this.#screen.rows }, (_, i) =>
      (active.getLine(active.baseY + i)?.translateToString(true) ?? '').trimEnd(),
    )
    while (lines.at(-1) === '') lines.pop()
    return lines
  }

  /** Waits until the visible lines match. */
  async waitFor(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.lines().join('\n'), { timeout: WAIT_MS, interval: 20 }).toMatch(pattern)
  }

  /** Types keys, such as `\u0003` for Ctrl-C. */
  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Changes the size of the terminal, as dragging the corner of its window does. */
  async resize({ columns, rows }: Size): Promise<void> {
    this.#screen.resize(columns, rows)
    const stty = spawn('stty', ['-F', this.#device, 'cols', String(columns), 'rows', String(rows)])
    await once(stty, 'close')
  }

  /** Waits for the end of the command, and returns its exit status. */
  async waitForExit(): Promise<number> {
    const [status] = (await this.#exited) as [number | null]
    await new Promise<void>((resolve) => this.#screen.write('', resolve))
    return status ?? -1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
    await this.#exited
    this.#screen.dispose()
  }

  #read(text: string): void {
    this.#output += text
    this.#device ||= /device=(\S+)\r?\n/.exec(this.#output)?.[1] ?? ''
    for (const [, state] of text.matchAll(CURSOR_STATE)) this.#isCursorHidden = state === 'l'
    this.#screen.write(text)
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
