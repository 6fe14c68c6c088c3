import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { ReadRecordOptions } from './line-format-reader.ts'
import { readRecord } from './read-record.ts'

async function read(content: string | Buffer, options: Partial<ReadRecordOptions> = {}) {
  const source = Readable.from([Buffer.from(content)])
  const { entries, ...others } = await readRecord(source, { maxBytes: 1e7, ...options })
  return { ...others, paths: entries.map(({ path }) => path) }
}

describe('a text that is not a profile', () => {
  it.each([
    ['an error page', '<html><head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>\n', 1],
    ['an error of a command', 'Error: container exited with code 1\nSee logs for details\n', 1],
    ['a response of an API', '{"message":"forbidden","path":"/v1/x","status":403}\n', 1],
    [
      'perf trace',
      '     0.000 ( 0.012 ms): cat/7 openat(dfd: CWD, filename: 0x2d6390b1, flags: RDONLY|CLOEXEC)         = 3\n',
      1,
    ],
    ['the summary of strace -c', '% time     seconds  usecs/call     calls    errors syscall\n', 1],
    ['lsof', 'COMMAND   PID USER   FD   TYPE NAME\nbash    16185 root  cwd    DIR /srv/app\n', 1],
    ['inotifywait', '/srv/app/ OPEN,ISDIR \n/srv/app/ OPEN a b"c.txt\n', 1],
    ['import times of python', 'import time: self [us] | cumulative | imported package\n', 1],
    ['a shell that does not find a program', '/etc/passwd\n/bin/sh: 1: x: not found\n', 2],
    ['the log of an entrypoint', '/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen.sh\n', 1],
    [
      'ldd',
      '\tlinux-vdso.so.1 (0x7ffd)\n\tlibc.so.6 => /lib/libc.so.6 (0x7f00)\n\t/lib64/ld.so (0x7f11)\n',
      1,
    ],
    ['ls -l', '-rw-r--r-- 1 root root 12 Jan 1 /etc/passwd\n', 1],
    ['ls -R', '/etc:\npasswd\n', 1],
    ['checksums of files', '9f86d081884c7d659a2feaa0c55ad015  /etc/passwd\n', 1],
    ['an environment', 'HOME=/root\nPATH=/usr/bin:/bin\n', 1],
    ['URLs', '/a\nhttps://registry.example/v2/\n', 2],
    ['only names', 'app\nconf.json\n', 1],
    ['only relative names', 'usr/bin/app\netc/passwd\n', 1],
    ['inotifywait with a custom format', '/etc/hosts OPEN\n/etc/passwd CLOSE_NOWRITE,CLOSE\n', 1],
    ['inotifywait --csv', '/etc/,OPEN,hosts\n', 1],
    ['a list of nydus without a header', '/etc/hosts,174,25\n/a,1,2\n/b,3,4\n', 1],
    ['grep -rn', '/etc/hosts:1:127.0.0.1 localhost\n', 1],
    ['programs with their arguments', '/usr/sbin/sshd -D\n/usr/bin/python3 -m http.server\n', 1],
    ['source code', '// Copyright of somebody\n// All rights/reserved\n', 1],
    ['coloured names', '\x1b[0m/etc/hosts\x1b[0m\n', 1],
    ['a log of a web server', '{"method":"GET","path":"/login","status":200,"elapsed":12}\n', 1],
    ['a line of another kind in a list', '/etc/hosts\nfib(10) = 55\n/etc/x\n', 2],
    ['a table', '/etc 4096\n/etc/passwd 1200\n/etc/hosts 120\n', 1],
    ['a command line', '/bin/cat /etc/passwd\n', 1],
  ])('%s is rejected with its first line', async (_, content, line) => {
    await expect(read(content)).rejects.toMatchObject({
      code: 'UNKNOWN_FORMAT',
      line,
      message: expect.stringMatching(/format=.*strace, fatrace/),
    })
  })

  it('is read when the uploader names the format path-list', async () => {
    expect((await read('/bin/cat /etc/passwd\na\n', { format: 'path-list' })).paths).toEqual([
      'bin/cat /etc/passwd',
      'a',
    ])
  })

  it('is rejected with the remedy when it is compressed', async () => {
    await expect(read(Buffer.from('1f8b0800000000000003', 'hex'))).rejects.toMatchObject({
      code: 'UNKNOWN_FORMAT',
      message: /Content-Encoding: gzip/,
    })
    await expect(read(Buffer.from('28b52ffd0400', 'hex'))).rejects.toThrow(/Content-Encoding: zstd/)
    await expect(read(Buffer.from('fd377a585a00', 'hex'))).rejects.toThrow(/xz: decompress it/)
  })
})

describe('a path list without a named format', () => {
  it('may contain names with spaces, relative names, and the output of find', async () => {
    const list = '.\n./opt/My App/a b.txt\n/usr/share/x (1)\nsrv/data file\n# a comment\n/usr/lib/*.so\n'
    expect(await read(list)).toMatchObject({
      format: 'path-list',
      paths: ['opt/My App/a b.txt', 'usr/share/x (1)', 'srv/data file', 'usr/lib/*.so'],
    })
  })
})

describe('a log', () => {
  const calls = ['openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3', 'close(3) = 0']

  it.each([
    ['kubectl logs --timestamps', '2026-04-14T02:18:02.240856427Z '],
    ['docker compose logs', 'app-1  | '],
    ['compose with times', 'app-1  | 2026-04-14T02:18:02.240Z '],
    ['compose with colours', '\x1b[36mapp-1  | \x1b[0m'],
    ['kubectl logs --prefix', '[pod/app-7d4/app] '],
    ['the runtime', '2026-04-14T02:18:02.240856427+02:00 stderr F '],
    ['the journal', 'Apr 14 02:18:02 node1 app[77]: '],
    ['syslog', '2026-04-14T02:18:02.240856+00:00 node1 app[77]: '],
    ['GitLab', '2026-04-14T02:18:02.240856Z 01O '],
    ['stern', 'app-7d4 app '],
  ])('is detected behind the prefix of %s', async (_, prefix) => {
    const log = calls.map((call) => `${prefix}[pid     7] ${call}\n`).join('')
    expect(await read(log)).toMatchObject({ format: 'strace', paths: ['etc/passwd'], notes: {} })
    expect(await read(log, { format: 'strace' })).toMatchObject({ paths: ['etc/passwd'] })
  })

  it('is detected in a log file of docker', async () => {
    const log = calls.map((call) => `${JSON.stringify({ log: `${call}\n`, stream: 'stderr', time: 'x' })}\n`)
    expect(await read(log.join(''))).toMatchObject({ format: 'strace', paths: ['etc/passwd'] })
  })

  it('is detected after other output, with a warning about those lines', async () => {
    const { paths, skipped, notes } = await read(`starting\n/etc/app.conf\n${calls.join('\n')}\n`)
    expect(paths).toEqual(['etc/passwd'])
    expect(skipped).toEqual({ foreign: 2, other: 1 })
    expect(notes.warnings).toEqual([expect.stringMatching(/^lines 1 to 2 .*"starting"$/)])
  })

  it.each([
    ['{"version":"1.1","host":"a","short_message":"starting"}'],
    ['["a","b"]'],
    ['{"path":"/healthz"}'],
    ['fib(10) = 55'],
    ['cat(7): W /var/log/x'],
  ])('is detected after %s', async (before) => {
    expect(await read(`${before}\n${calls.join('\n')}\n`)).toMatchObject({
      format: 'strace',
      paths: ['etc/passwd'],
    })
  })

  it('is read from its first line, however late a distinctive line comes', async () => {
    const lines = Array.from({ length: 20_000 }, (_, n) => `{"path":"/usr/lib/file${n}","ts":${n}}`)
    const { paths } = await read(`${lines.join('\n')}\n{"path":"/last"}\n`)
    expect(paths).toHaveLength(20_001)
  })

  it('is read in linear time when its lines suggest several formats', async () => {
    const one = 'openat(AT_FDCWD, "/proc/1", O_RDONLY) = 3\nbash(1): O /proc/1\n{"path":"/proc/1"}\n'
    const started = performance.now()
    expect((await read(`${one.repeat(20_000)}${calls.join('\n')}\n`)).paths).toEqual(['etc/passwd'])
    // Reading everything again for each line would take minutes.
    expect(performance.now() - started).toBeLessThan(60_000)
  })

  it('with failed calls first is not rejected because of output of its program', async () => {
    const failed = 'openat(AT_FDCWD, "/a", O_RDONLY) = -1 ENOENT (No such file)\n'
    const { format, paths } = await read(`${failed}{"path":"/x"}\n${calls.join('\n')}\n`)
    expect([format, paths]).toEqual(['strace', ['etc/passwd']])
  })

  it('after more lines than can be buffered has a warning about them', async () => {
    const { skipped, notes } = await read(`${'a=\n'.repeat(300_000)}${calls.join('\n')}\n`)
    expect(skipped.foreign).toBe(300_000)
    expect(notes.warnings?.[0]).toMatch(/^lines 1 to \d+ came before the first line that shows the format/)
  })

  it('without an entry is rejected with its first foreign line', async () => {
    const failed = 'openat(AT_FDCWD, "/a", O_RDONLY) = -1 ENOENT (No such file)\nhello\n'
    await expect(read(failed)).rejects.toMatchObject({
      code: 'INVALID_RECORD',
      message: expect.stringMatching(/1 failed, 1 foreign; this is not a line of strace: "hello"/),
    })
  })

  it('of the stargz snapshotter contains the accessed files', async () => {
    const layer = `sha256:${'a'.repeat(64)}`
    const json = [
      { layer, level: 'debug', msg: 'file accessed: /usr/bin/app', size: 1 },
      { key: 'k8s.io/7', level: 'info', msg: 'completed to fetch all layer data in background' },
      { layer, level: 'debug', msg: 'file accessed: etc/ssl/a b', size: 1 },
    ]
    const expected = {
      format: 'stargz-snapshotter-log',
      paths: ['usr/bin/app', 'etc/ssl/a b'],
      skipped: { other: 1 },
    }
    expect(await read(json.map((one) => `${JSON.stringify(one)}\n`).join(''))).toMatchObject(expected)
    const text = json
      .map(({ level, msg }) => `time="2026-11-20T10:00:00Z" level=${level} msg="${msg}" layer="${layer}"\n`)
      .join('')
    expect(await read(text)).toMatchObject(expected)
    expect(await read(text.trimEnd().replaceAll(/^/gm, 'Nov 20 10:00:00 node1 stargz[7]: '))).toMatchObject(
      expected,
    )
  })

  it('of Inspektor Gadget contains the opened files', async () => {
    const proc = { comm: 'cat', pid: 7 }
    const events = [
      { fname: '/etc/passwd', fd: 3, error: '', proc, runtime: { containerName: 'x' } },
      { fname: '/none', fd: 0, error: 'ENOENT', proc },
      { fname: 'conf', fpath: '/srv/conf', fd: 3, error: '', proc },
      { fname: 'conf', fd: 3, error: '', proc },
    ]
    expect(await read(events.map((one) => `${JSON.stringify(one)}\n`).join(''))).toMatchObject({
      format: 'trace-open',
      paths: ['etc/passwd', 'srv/conf'],
      skipped: { failed: 1, relative: 1 },
    })
    const old = '{"comm":"cat","pid":7,"fd":3,"err":0,"path":"/etc/group","fullPath":""}\n'
    expect(await read(old)).toMatchObject({ format: 'trace-open', paths: ['etc/group'] })
  })

  it('of audit contains the files of successful opens', async () => {
    const event = (id: number, success: string, cwd: string, ...paths: string[]) =>
      [
        `type=SYSCALL msg=audit(1.5:${id}): arch=c000003e syscall=257 success=${success} exit=3 comm="app"`,
        `type=CWD msg=audit(1.5:${id}): cwd=${cwd}`,
        ...paths.map((path, i) => `type=PATH msg=audit(1.5:${id}): item=${i} ${path}`),
        `type=PROCTITLE msg=audit(1.5:${id}): proctitle=617070`,
      ].join('\n')
    const log = [
      event(1, 'yes', '"/srv"', 'name="/etc/passwd" inode=7 nametype=NORMAL'),
      event(2, 'no', '"/srv"', 'name="none" nametype=UNKNOWN'),
      event(3, 'yes', '"/srv"', 'name="conf" nametype=NORMAL'),
      event(4, 'yes', '2F61206264', 'name=6120622E747874 nametype=NORMAL'),
      event(5, 'yes', '"/srv"', 'name="/tmp" nametype=PARENT', 'name="/tmp/x" nametype=CREATE'),
      event(6, 'yes', '"/"', 'name=2FFF nametype=NORMAL'),
    ].join('\n----\n')
    const expected = { format: 'audit', paths: ['etc/passwd', 'srv/conf', 'a bd/a b.txt'] }
    expect(await read(log)).toMatchObject({ ...expected, skipped: { failed: 1, created: 1, encoding: 1 } })
    expect(await read(log.replaceAll(/^type/gm, 'node=a1 type'))).toMatchObject(expected)
    const interpreted = `type=SYSCALL msg=audit(11/20/26 10:00:00.101:31) : arch=x86_64 syscall=openat success=yes exit=3
type=CWD msg=audit(11/20/26 10:00:00.101:31) : cwd=/srv
type=PATH msg=audit(11/20/26 10:00:00.101:31) : item=0 name=ABCD inode=7 nametype=NORMAL
type=SYSCALL msg=audit(11/20/26 10:00:00.101:32) : arch=x86_64 syscall=unlink success=yes exit=0
type=PATH msg=audit(11/20/26 10:00:00.101:32) : item=0 name=/x inode=7 nametype=NORMAL
`
    expect(await read(interpreted)).toMatchObject({ paths: ['srv/ABCD'], skipped: { other: 1 } })
  })
})

describe('paths of a host', () => {
  const log = (...paths: string[]) => paths.map((path) => `app(7): RO  ${path}\n`).join('')

  it.each([
    '/var/lib/docker/overlay2/5f2c/merged',
    '/var/lib/docker/rootfs/overlayfs/5f2c',
    '/home/ci/.local/share/docker/overlay2/5f2c/diff',
    '/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/12/fs',
    '/var/lib/rancher/k3s/agent/containerd/io.containerd.snapshotter.v1.stargz/snapshots/7/fs',
    '/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc/rootfs',
    '/var/lib/containers/storage/overlay/5f2c/merged',
    '/proc/4711/root',
  ])('are made relative to the container root %s', async (root) => {
    expect(await read(log(`${root}/usr/bin/app`, `${root}/etc/passwd`, root, '/usr/lib/x'))).toMatchObject({
      paths: ['usr/bin/app', 'etc/passwd', 'usr/lib/x'],
      notes: { roots: [{ root, pathCount: 3 }] },
    })
  })

  it('are made relative to a named root, and paths outside of it are skipped', async () => {
    expect(
      await read(log('/mnt/root/a', '/mnt/root', '/mnt/rootless', '/b'), { root: '/mnt/root/' }),
    ).toMatchObject({
      paths: ['a'],
      skipped: { outside: 2 },
      notes: { roots: [{ root: '/mnt/root', pathCount: 2 }] },
    })
  })

  it('are made relative in globs, too, and exclude= applies to globs', async () => {
    const list = '/mnt/x/usr/**/*.so\n/mnt/x/etc/hosts\n/usr/**/*.so\n'
    expect(await read(list, { root: '/mnt/x', exclude: ['/etc/**'] })).toMatchObject({
      paths: ['usr/**/*.so'],
      skipped: { outside: 1, excluded: 1 },
    })
  })

  it('are shortened in notes', async () => {
    const far = `r${'x'.repeat(60_000)}`
    const calls = Array.from({ length: 20 }, (_, n) => `openat(AT_FDCWD, "${far}${n}", O_RDONLY) = 3\n`).join(
      '',
    )
    const { skipped, notes } = await read(`${calls}openat(AT_FDCWD, "/a", O_RDONLY) = 3\n`)
    expect(JSON.stringify([skipped, notes]).length).toBeLessThan(10_000)
    expect(notes.warnings?.[0]).toMatch(/^20 relative paths were skipped/)
  })

  it('and those of wrappers can be excluded by globs', async () => {
    const { paths, skipped, notes } = await read(log('/usr/sbin/chroot', '/usr/bin/app', '/tmp/x/y'))
    expect(paths).toEqual(['usr/sbin/chroot', 'usr/bin/app', 'tmp/x/y'])
    expect(skipped).toEqual({})
    expect(notes.warnings).toEqual([expect.stringMatching(/exclude=\/usr\/sbin\/chroot/)])
    const exclude = ['/usr/sbin/chroot', 'tmp/**']
    expect(await read(log('/usr/sbin/chroot', '/usr/bin/app', '/tmp/x/y'), { exclude })).toMatchObject({
      paths: ['usr/bin/app'],
      skipped: { excluded: 2 },
      notes: {},
    })
    await expect(read('/a\n', { exclude: ['['] })).rejects.toThrow(/exclude: \[ is not a valid glob/)
  })
})
