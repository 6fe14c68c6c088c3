import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess, isolatedEnvironment } from '../support/broker-process.ts'
import { buildTar, dir, file, symlink } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { describeWithPeers, type Peer } from '../support/peers/peers.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Programs that every machine has; the libraries that they need are copied, too. */
const PROGRAMS = ['/bin/sh', '/bin/cat', '/bin/sleep']
const START = '/bin/cat /etc/link >/dev/null; exec /bin/cat /etc/motd'

let folder: string
let temporary: string
let broker: BrokerProcess
let image: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capture-'))
  temporary = await mkdtemp(join(tmpdir(), 'capture-temporary-'))
  broker = await BrokerProcess.start(folder)
  image = `${broker.host}/team/app:1.0`
  await using registries = new RegistryClient({ plainHttp: [broker.host] })
  const repository = registries.repository({ host: broker.host, repository: 'team/app' })
  const files = [...new Set(PROGRAMS.flatMap((program) => [program, ...librariesOf(program)]))]
  const tar = buildTar(
    ...files.map((path) => file(path.slice(1), readFileSync(path), { mode: 0o755 })),
    ...['proc', 'dev', 'tmp', 'etc'].map((name) => dir(name)),
    file('etc/motd', 'hello\n'),
    file('etc/unused', 'unused\n'),
    symlink('etc/link', 'motd'),
  )
  const config = {
    Cmd: ['/bin/sh', '-c', START],
    Env: ['PATH=/bin', 'GREETING=from the image'],
    WorkingDir: '/etc',
  }
  await pushImage(repository, { layers: [{ tar }], configFields: { config } }, '1.0')
})
afterAll(async () => {
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
  await rm(temporary, { recursive: true, force: true })
})

/** Returns the files that the dynamic linker loads for a program. */
function librariesOf(program: string): string[] {
  const loaded = process.report.getReport() as { readonly sharedObjects: readonly string[] }
  const folders = new Set(loaded.sharedObjects.map((path) => path.slice(0, path.lastIndexOf('/'))))
  const text = readFileSync(program, 'latin1')
  const interpreter = /\/lib[\w./-]*\/ld-[\w.-]+/.exec(text)?.[0]
  const names = [...text.matchAll(/lib[\w+-]+\.so\.\d+/g)].map(([name]) => name)
  const libraries = [...folders].flatMap((path) => names.map((name) => `${path}/${name}`)).filter(isReadable)
  return interpreter === undefined ? libraries : [interpreter, ...libraries]
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}

/** Runs `record capture`. `onOutput` receives what was written to standard error so far. */
async function capture(
  args: readonly string[],
  onOutput: (text: string, pid: number) => void = () => undefined,
) {
  const child = spawn(process.execPath, [MAIN, 'record', 'capture', '--server', broker.url, ...args], {
    env: isolatedEnvironment({ RECORD_BROKER_PLAIN_HTTP: broker.host, TMPDIR: temporary, HOME: temporary }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => {
    stdout += text
  })
  child.stderr.on('data', (text: Buffer) => {
    stderr += text
    onOutput(stderr, child.pid ?? 0)
  })
  const [status] = await once(child, 'close')
  const pathsOf = async () => {
    const { id } = JSON.parse(stdout) as { id: string }
    const response = await fetch(`${broker.url}/v1/records/${id}/content`, {
      headers: { accept: 'text/plain' },
    })
    return (await response.text()).trim().split('\n')
  }
  return { status: status as number | null, stdout, stderr, pathsOf }
}

const SANDBOXES: readonly (readonly [string, Peer])[] = [
  ['bubblewrap', 'bwrap'],
  ['podman', 'podman'],
  ['runc', 'runc'],
]

for (const [sandbox, peer] of SANDBOXES) {
  describeWithPeers(['strace', peer], `record capture with ${sandbox}`, () => {
    const inRoot = (...args: string[]) => ['--image', image, '--sandbox', sandbox, '--json', ...args]

    it('records what the image starts, in a root that is gone afterwards', async () => {
      const captured = await capture(inRoot('--workload', 'serve', '--label', 'by=capture'))
      expect(captured.stderr).toContain('hello\n')
      expect(captured.status).toBe(0)
      expect(JSON.parse(captured.stdout)).toMatchObject({
        image: expect.stringMatching(/team\/app:1\.0@sha256:/),
        workload: 'serve',
        labels: { by: 'capture' },
        format: 'strace',
      })
      const paths = await captured.pathsOf()
      expect(
        paths.filter((path) => /^\/?(bin|etc)\//.test(path)).map((path) => path.replace(/^\//, '')),
      ).toEqual(['bin/sh', 'bin/cat', 'etc/link', 'etc/motd'])
      expect(readdirSync(temporary)).not.toContainEqual(expect.stringContaining('record-broker-capture'))
    })

    it('runs another command, with the variables and the folder of the image', async () => {
      const script = 'read line < motd; echo "$line $GREETING $MORE"'
      const captured = await capture(inRoot('--env', 'MORE=and more', '--', '/bin/sh', '-c', script))
      expect(captured.stderr).toContain('hello from the image and more')
    })

    it('ends a command at Ctrl-C or after some time, and uploads what it opened', async () => {
      let isInterrupted = false
      const script = 'read line < motd; echo started; /bin/sleep 300 & /bin/sleep 300'
      const captured = await capture(inRoot('--', '/bin/sh', '-c', script), (text, pid) => {
        if (isInterrupted || !text.includes('started\n')) return
        isInterrupted = true
        process.kill(pid, 'SIGINT')
      })
      expect(captured.status).toBe(0)
      expect(await captured.pathsOf()).toContainEqual(expect.stringContaining('etc/motd'))
      const limited = await capture(inRoot('--for', '1', '--', '/bin/sleep', '300'))
      expect(limited.status).toBe(0)
      expect(await limited.pathsOf()).toContainEqual(expect.stringContaining('bin/sleep'))
    })

    it('ends with the command, whatever that leaves running', async () => {
      const script = '/bin/sleep 300 & read line < motd; exec /bin/cat motd'
      const captured = await capture(inRoot('--', '/bin/sh', '-c', script))
      expect(captured.status).toBe(0)
      expect(await captured.pathsOf()).toContainEqual(expect.stringContaining('bin/cat'))
    })

    it('uploads nothing of a command that fails', async () => {
      const failed = await capture(inRoot('--', '/bin/sh', '-c', 'exit 7'))
      expect(failed).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('status 7') })
      const ignored = await capture(inRoot('--ignore-status', '--', '/bin/sh', '-c', 'exit 7'))
      expect(ignored.status).toBe(0)
    })
  })
}

describeWithPeers(['strace'], 'record capture of a command of this machine', () => {
  it('records what the command opens, and keeps the log where it is asked to', async () => {
    const output = join(folder, 'trace.log')
    const captured = await capture(['--no-upload', '--output', output, '--', '/bin/cat', MAIN])
    expect(captured).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringContaining('The command opened'),
    })
    expect(await readFile(output, 'utf8')).toContain(`"${MAIN}"`)
  })

  it('keeps the log when the upload fails', async () => {
    const lost = await capture(['--server', 'http://127.0.0.1:1', '--', '/bin/cat', MAIN])
    expect(lost.status).toBe(5)
    const [, kept = ''] = /The log is kept in (\S+):/.exec(lost.stderr) ?? []
    expect(readdirSync(kept)).toContain('strace.log')
    await rm(kept, { recursive: true, force: true })
  })

  it('says what is missing', async () => {
    const nothing = await capture([])
    expect(nothing).toMatchObject({ status: 2, stderr: expect.stringContaining('give a command after --') })
    const both = await capture(['--image', image, '--profiled-image', image])
    expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('not both') })
  })
})

describeWithPeers(['fatrace', 'bwrap', 'tmpfs'], 'record capture with fatrace', () => {
  it('records what the image starts', async () => {
    const captured = await capture([
      '--image',
      image,
      '--tracer',
      'fatrace',
      '--sandbox',
      'bubblewrap',
      '--json',
    ])
    expect(captured.status).toBe(0)
    expect(await captured.pathsOf()).toContainEqual(expect.stringMatching(/^\/?etc\/motd$/))
  })
})

describeWithPeers(['fatrace', 'tmpfs'], 'record capture with a fatrace that dies', () => {
  it('fails, because the log is incomplete', async () => {
    const script = 'for pid in $(cat /proc/$PPID/task/$PPID/children); do [ $pid = $$ ] || kill -9 $pid; done'
    const output = join(folder, 'incomplete.log')
    const upload = ['--no-upload', '--output', output]
    const { status, stderr } = await capture([
      '--tracer',
      'fatrace',
      ...upload,
      '--',
      '/bin/sh',
      '-c',
      script,
    ])
    expect([status, stderr]).toEqual([1, expect.stringContaining('fatrace ended with status 137')])
  })
})

describe('record capture without its programs', () => {
  it('names what to install', async () => {
    const child = spawn(process.execPath, [MAIN, 'record', 'capture', '--', '/bin/true'], {
      env: isolatedEnvironment({ PATH: '/nonexistent' }),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (text: Buffer) => {
      stderr += text
    })
    const [status] = await once(child, 'close')
    expect([status, stderr]).toEqual([2, expect.stringContaining('install strace or fatrace')])
  })
})
