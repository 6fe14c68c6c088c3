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
  const { used, output } = await measure(['bash', '-c', 'head -c 50M /dev/zero | gzip -1 | wc -c'], signal)
  expect(Number(output)).toBeGreaterThan(0)
  expect(used.cpu).toBeGreaterThan(0.05)
  expect(used.wall).toBeGreaterThan(0)
})

it('tells what a program said that failed', async () => {
  await expect(measure(['bash', '-c', 'echo no such layer >&2; exit 3'], signal)).rejects.toThrow(
    /ended with 3:\nno such layer/,
  )
})

it('ends a program and what it started when it is aborted', async () => {
  await using folder = await temporaryFolder()
  const started = join(folder.path, 'started')
  await runProgram('mkfifo', started)
  const stop = new AbortController()
  const measuring = measure(['bash', '-c', 'echo >"$0"; sleep 600 | sleep 600', started], stop.signal)
  const ended = expect(measuring).rejects.toThrow('interrupted')
  await readFile(started)
  stop.abort(new Error('interrupted'))
  await ended
})

it('starts nothing after an abort', async () => {
  const stopped = AbortSignal.abort(new Error('interrupted'))
  await expect(measure(['sleep', '600'], stopped)).rejects.toThrow('interrupted')
})

it('knows the peak memory of a program of Node, and what it wrote', async () => {
  const script = `const bytes = Buffer.alloc(${200 * MIB}, 1)
    require('node:fs').writeFileSync(process.env.TMPDIR + '/file', bytes.subarray(0, ${8 * MIB}))`
  const { used } = await measureNode(['--eval', script], signal)
  expect(used.peakRss).toBeGreaterThan(200 * MIB)
  expect(used.peakRss).toBeLessThan(400 * MIB)
  expect(used.written).toBeTypeOf('number')
})

it('sees files in the folder, also those that have no name any more', async () => {
  await using folder = await temporaryFolder()
  const script = 'head -c 3M /dev/urandom >f; exec 9<>f; rm f; head -c 1M /dev/urandom >g; echo; read; true'
  const child = spawn('bash', ['-c', '(cd "$0"; eval "$1"); true', folder.path, script])
  await once(child.stdout, 'data')
  const watch = new ProcessMonitor(Number(child.pid), folder.path)
  watch.sample()
  const { scratch, rss } = watch.stop()
  child.stdin.end()
  await once(child, 'close')
  expect(scratch).toBe(4 * MIB)
  expect(rss).toBeGreaterThan(0)
})
