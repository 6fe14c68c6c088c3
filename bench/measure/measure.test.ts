import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runProgram } from '../../test/support/run-program.ts'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { measure, measureNode } from './measure.ts'
import { ProcessMonitor } from './process-monitor.ts'

const { signal } = new AbortController()
const MIB = 1024 * 1024

it('counts the CPU time of all processes of a pipeline', async () => {
  const { usage, output } = await measure(['bash', '-c', 'head -c 50M /dev/zero | gzip -1 | wc -c'], signal)
  expect(Number(output)).toBeGreaterThan(0)
  expect(usage.cpu).toBeGreaterThan(0.05)
  expect(usage.wall).toBeGreaterThan(0)
})

it('reports the standard error of a program that fails', async () => {
  await expect(measure(['bash', '-c', 'echo no such layer >&2; exit 3'], signal)).rejects.toThrow(
    /exited with 3:\nno such layer/,
  )
})

it('kills a program and its descendants when it is aborted', async () => {
  await using folder = await temporaryFolder()
  const started = join(folder.path, 'started')
  await runProgram('mkfifo', started)
  const stop = new AbortController()
  const measuring = measure(['bash', '-c', 'echo >"$0"; sleep 600 | sleep 600', started], stop.signal)
  const aborted = expect(measuring).rejects.toThrow('interrupted')
  await readFile(started)
  stop.abort(new Error('interrupted'))
  await aborted
})

it('does not start a program if it is already aborted', async () => {
  const aborted = AbortSignal.abort(new Error('interrupted'))
  await expect(measure(['sleep', '600'], aborted)).rejects.toThrow('interrupted')
})

it('measures the peak memory of a Node program, and the bytes it wrote', async () => {
  const script = `const bytes = Buffer.alloc(${200 * MIB}, 1)
    require('node:fs').writeFileSync(process.env.TMPDIR + '/file', bytes.subarray(0, ${8 * MIB}))`
  const { usage } = await measureNode(['--eval', script], signal)
  expect(usage.peakRss).toBeGreaterThan(200 * MIB)
  expect(usage.peakRss).toBeLessThan(400 * MIB)
  expect(usage.written).toBeTypeOf('number')
})

it('measures the files in the folder, including removed ones that are still open', async () => {
  await using folder = await temporaryFolder()
  const script = 'head -c 3M /dev/urandom >f; exec 9<>f; rm f; head -c 1M /dev/urandom >g; echo; read; true'
  const child = spawn('bash', ['-c', '(cd "$0"; eval "$1"); true', folder.path, script])
  await once(child.stdout, 'data')
  const monitor = new ProcessMonitor(Number(child.pid), folder.path)
  monitor.sample()
  const { peakScratch, peakRss } = monitor.stop()
  child.stdin.end()
  await once(child, 'close')
  expect(peakScratch).toBe(4 * MIB)
  expect(peakRss).toBeGreaterThan(0)
})
