import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { ReadRecordOptions } from '../line-format-reader.ts'
import { readRecord } from '../read-record.ts'

async function read(log: string | Buffer, options: Partial<ReadRecordOptions> = {}) {
  const { format, entries, skipped } = await readRecord(Readable.from([Buffer.from(log)]), {
    maxBytes: 1e6,
    ...options,
  })
  return { format, paths: entries.map(({ path }) => path), skipped }
}

it('reads a real capture', async () => {
  const capture = readFileSync('test/fixtures/profiles/python-numpy.strace.txt')
  const { format, paths, skipped } = await read(capture)
  expect(format).toBe('strace')
  // The same by a plain search of the log: every call that did not fail.
  const opened = capture
    .toString()
    .split('\n')
    .flatMap((line) => (/ = -1 /.test(line) ? [] : (/"(\/[^"]*)"/.exec(line)?.[1] ?? [])))
  const expected = opened
    .map((path) => path.slice(1))
    .filter((path) => path !== '' && !/^(proc|sys|dev)\//.test(path))
  expect(paths).toEqual([...new Set(expected)])
  expect(new Set(opened).size).toBe(
    248 + new Set(opened.filter((path) => /^\/(proc|sys|dev)\//.test(path))).size,
  )
  expect(skipped.failed).toBe(capture.toString().match(/ = -1 /g)?.length)
})

it('reads all calls that open files, and skips those that failed or created the file', async () => {
  const log = `execve("/usr/bin/app", ["app", "a, b) = 3"], 0x7ffc /* 3 vars */) = 0
open("/etc/a", O_RDONLY) = 3
openat2(AT_FDCWD, "/etc/b", {flags=O_RDONLY|O_CLOEXEC, resolve=RESOLVE_NO_SYMLINKS}, 24) = 4
execveat(5</usr/lib/helper>, "", ["helper"], 0x7ffc /* 3 vars */, AT_EMPTY_PATH) = 0
openat(AT_FDCWD, "/etc/none", O_RDONLY) = -1 ENOENT (No such file or directory)
openat(AT_FDCWD, "/tmp/new", O_WRONLY|O_CREAT|O_EXCL, 0600) = 3
creat("/tmp/other", 0644) = 3
openat(AT_FDCWD, 0x55, O_RDONLY) = 3
openat(AT_FDCWD, "/killed", O_RDONLY) = ?
read(3, "\\177ELF"..., 832) = 832
openat(AT_FDCWD, "/usr/\\303\\251 \\"x\\"\\\\", O_RDONLY) = 3
`
  expect(await read(log)).toEqual({
    format: 'strace',
    paths: ['usr/bin/app', 'etc/a', 'etc/b', 'usr/lib/helper', 'usr/é "x"\\'],
    skipped: { failed: 2, created: 2, nameless: 1, other: 1 },
  })
})

it.each([
  ['-f -o', '17 openat(AT_FDCWD, "/a", O_RDONLY) = 3'],
  ['-f', '[pid    17] openat(AT_FDCWD, "/a", O_RDONLY) = 3'],
  ['-f -t', '17 12:34:56 openat(AT_FDCWD, "/a", O_RDONLY) = 3'],
  ['-tt', '12:34:56.789012 openat(AT_FDCWD, "/a", O_RDONLY) = 3'],
  ['-f -ttt -T', '17 1700000000.123456 openat(AT_FDCWD, "/a", O_RDONLY) = 3 <0.000012>'],
  ['-f -r', '17      0.000123 openat(AT_FDCWD, "/a", O_RDONLY) = 3'],
  ['-i', '[00007f3a1b2c3d4e] openat(AT_FDCWD, "/a", O_RDONLY) = 3'],
  ['-y', 'openat(AT_FDCWD</root>, "/a", O_RDONLY) = 3</a>'],
  ['--decode-pids=comm', '17<sh> openat(AT_FDCWD, "/a", O_RDONLY) = 3'],
])('reads lines of %s', async (_, line) => {
  expect(await read(`${line}\n`)).toEqual({ format: 'strace', paths: ['a'], skipped: {} })
})

it('joins the two parts of interrupted calls of each process', async () => {
  const log = `strace: Process 18 attached
17 openat(AT_FDCWD, "/first", O_RDONLY <unfinished ...>
18 openat(AT_FDCWD, "/second", O_RDONLY <unfinished ...>
17 <... openat resumed>)             = 3
18 <... openat resumed> ) = -1 ENOENT (No such file or directory)
18 --- SIGCHLD {si_signo=SIGCHLD} ---
18 <... read resumed>"x", 1) = 1
19 execve("/bin/tool", ["tool"], 0x7f /* 1 var */ <pid changed to 17 ...>
17 +++ superseded by execve in pid 19 +++
17 <... execve resumed>) = 0
17 +++ exited with 0 +++
17 openat(AT_FDCWD, "/another/run", O_RDONLY) = 3
17 openat(AT_FDCWD, "/cut of`
  const { paths, skipped } = await read(log)
  expect(paths).toEqual(['first', 'bin/tool', 'another/run'])
  expect(skipped.failed).toBe(1)
})

it('tracks working directories and open directories, also in children', async () => {
  const log = `17 openat(AT_FDCWD, "early", O_RDONLY) = 3
17 chdir("/srv") = 0
17 openat(AT_FDCWD, "app.conf", O_RDONLY) = 3
17 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
18 openat(AT_FDCWD, "of-child", O_RDONLY) = 3
18 chdir("../opt") = 0
18 openat(AT_FDCWD, "x", O_RDONLY) = 3
17 <... clone resumed>) = 18
17 openat(AT_FDCWD, "of-parent", O_RDONLY) = 4
17 openat(AT_FDCWD, "data", O_RDONLY|O_DIRECTORY) = 5
17 openat(5, "inside", O_RDONLY) = 6
17 clone(child_stack=0x7f, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_THREAD) = 19
19 fchdir(5) = 0
17 openat(AT_FDCWD, "of-thread", O_RDONLY) = 6
17 openat(AT_FDCWD, "/etc/plain", O_RDONLY) = 5
17 openat(5, "lost", O_RDONLY) = 7
17 openat2(8</root>, "/in/root", {flags=O_RDONLY, resolve=RESOLVE_IN_ROOT}, 24) = 9
`
  expect(await read(log)).toMatchObject({
    paths: [
      'srv/app.conf',
      'srv/of-child',
      'srv/../opt/x',
      'srv/of-parent',
      'srv/data',
      'srv/data/inside',
      'srv/data/of-thread',
      'etc/plain',
      'root/in/root',
    ],
    skipped: { relative: 2, relativePaths: ['early', 'lost'] },
  })
  expect((await read(log, { workingDirectory: '/start' })).paths[0]).toBe('start/early')
})

it('uses the directories of -y, also in traces written to the terminal', async () => {
  const log = `execve("./run", ["./run"], 0x7f /* 1 var */) = 0
openat(AT_FDCWD</srv/app>, "none", O_RDONLY) = -1 ENOENT (No such file or directory)
execve("bin/tool", ["tool"], 0x7f /* 1 var */) = 0
openat(AT_FDCWD</srv/app>, "conf", O_RDONLY) = 3</srv/app/conf>
vfork(strace: Process 18 attached
 <unfinished ...>
[pid    18] openat(AT_FDCWD, "again", O_RDONLY) = 4
[pid    18] openat(7</usr/share/a, b>, "x", O_RDONLY) = 5
[pid    18] openat(6, "far", O_RDONLY) = 5</var/far>
[pid    17] <... vfork resumed>) = 18
`
  expect(await read(log)).toMatchObject({
    paths: ['srv/app/bin/tool', 'srv/app/conf', 'srv/app/again', 'usr/share/a, b/x', 'var/far'],
    skipped: { relative: 1, relativePaths: ['./run'] },
  })
})

it('skips the output of the program, and reports its lines', async () => {
  const log =
    '17 openat(AT_FDCWD, "/a", O_RDONLY) = 3\nHello, world\nbye\n17 openat(AT_FDCWD, "/b", O_RDONLY) = 3\n'
  const { entries, skipped, notes } = await readRecord(Readable.from([Buffer.from(log)]), { maxBytes: 1e6 })
  expect(entries).toEqual([{ path: 'a' }, { path: 'b' }])
  expect(skipped).toEqual({ foreign: 2 })
  expect(notes.warnings).toEqual([
    'lines 2 to 3 are not lines of this format and were skipped; the first one: "Hello, world"',
  ])
})

describe('other output of strace', () => {
  it.each([
    [
      'a signal first, with a pid',
      '88  --- SIGCHLD {si_signo=SIGCHLD, si_pid=89} ---\n88  openat(AT_FDCWD, "/a", O_RDONLY) = 3\n',
    ],
    [
      'the summary of -C',
      'openat(AT_FDCWD, "/a", O_RDONLY) = 3\n% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n 89.41    0.108281        1127        96        47 wait4\n  1.40    0.001697          39        43           clone\n------ ----------- ----------- --------- --------- ----------------\n100.00    0.121113                  1046       521 total\n',
    ],
    [
      'a detached call',
      '7 futex(0x7f, FUTEX_WAIT, 0, NULL <detached ...>\n7 openat(AT_FDCWD, "/a", O_RDONLY) = 3\n',
    ],
    [
      'contexts of --secontext',
      '7 [unconfined_u:unconfined_r:unconfined_t:s0] openat(AT_FDCWD, "/a" [system_u:object_r:etc_t:s0], O_RDONLY) = 3 [system_u:object_r:etc_t:s0]\n',
    ],
    ['raw arguments of -X raw', 'openat(0xffffff9c, "/a", 0x80000) = 3\n'],
    [
      'raw and symbolic arguments of -X verbose',
      'openat(0xffffff9c /* AT_FDCWD */, "/a", 0x80000 /* O_RDONLY|O_CLOEXEC */) = 3\n',
    ],
    ['system call numbers', '[ 257] openat(AT_FDCWD, "/a", O_RDONLY) = 3\n'],
    ['paths of descriptors', 'openat(AT_FDCWD</srv>, "/a", O_RDONLY) = 3</a>\n'],
    ['escapes for every character', 'openat(AT_FDCWD, "\\x2f\\x61", O_RDONLY) = 3\n'],
    [
      'stack traces',
      'openat(AT_FDCWD, "/a", O_RDONLY) = 3\n > /usr/lib/libc.so.6(__open64+0x5b) [0xf7a5b]\n',
    ],
  ])('%s is read', async (_, log) => {
    expect(await read(log)).toMatchObject({ format: 'strace', paths: ['a'] })
    const { notes } = await readRecord(Readable.from([Buffer.from(log)]), { maxBytes: 1e6 })
    expect(notes.warnings).toBeUndefined()
  })

  it('warns of a shell that only starts the program', async () => {
    const log =
      '7 execve("/bin/sh", ["sh", "-c", "app"], 0x7ff /* 9 vars */) = 0\n7 execve("/usr/bin/app", ["app"], 0x7ff) = 0\n'
    const options = { maxBytes: 1e6 }
    const { notes } = await readRecord(Readable.from([Buffer.from(log)]), options)
    expect(notes.warnings).toEqual([
      expect.stringMatching(/^\/bin\/sh looks like a wrapper .*exclude=\/bin\/sh/),
    ])
    const without = await readRecord(Readable.from([Buffer.from(log)]), { ...options, exclude: ['/bin/sh'] })
    expect(without).toMatchObject({ entries: [{ path: 'usr/bin/app' }], skipped: { excluded: 1 }, notes: {} })
    const script = log.replace('"-c", "app"', '"/start.sh"')
    expect((await readRecord(Readable.from([Buffer.from(script)]), options)).notes).toEqual({})
  })
})

describe('a pid', () => {
  it('is the one that strace sees, also of a process in another PID namespace', async () => {
    const log =
      '100 chdir("/app") = 0\n100 clone(child_stack=NULL) = 7 /* 101 in strace\'s PID NS */\n101 openat(AT_FDCWD, "x", O_RDONLY) = 3\n'
    expect((await read(log, { workingDirectory: '/' })).paths).toEqual(['app/x'])
  })

  it('that is reused belongs to a new process', async () => {
    const log = `1 chdir("/a") = 0
1 clone(child_stack=NULL) = 7
7 chdir("/b") = 0
1 clone(child_stack=NULL) = 7
7 openat(AT_FDCWD, "x", O_RDONLY) = 3
`
    expect((await read(log, { workingDirectory: '/' })).paths).toEqual(['a/x'])
  })
})

it('recognises a created file by the raw flags of -X raw', async () => {
  const log = 'openat(0xffffff9c, "/tmp/new", 0xc2, 0600) = 3\nopenat(0xffffff9c, "/a", 0) = 3\n'
  expect(await read(log)).toMatchObject({ paths: ['a'], skipped: { created: 1 } })
})
