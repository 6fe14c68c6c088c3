import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { type ReadRecordOptions, readRecord } from './read.ts'

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
  // As a plain search of the log says: every call that did not fail.
  const opened = capture
    .toString()
    .split('\n')
    .flatMap((line) => (/ = -1 /.test(line) ? [] : (/"(\/[^"]*)"/.exec(line)?.[1] ?? [])))
  expect(paths).toEqual(
    opened.map((path) => path.slice(1)).filter((path) => path !== '' && !/^(proc|sys|dev)\//.test(path)),
  )
  expect(new Set(opened).size).toBe(
    248 + new Set(opened.filter((path) => /^\/(proc|sys|dev)\//.test(path))).size,
  )
  expect(skipped.failed).toBe(capture.toString().match(/ = -1 /g)?.length)
})

it('knows all calls that open, and passes those over that failed or made the file', async () => {
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

it('puts calls together that others ran beside, each for its process', async () => {
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

it('follows working directories and open directories, in children too', async () => {
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

it('takes directories from -y, also for programs that are traced to the terminal', async () => {
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

it('is refused where the output of the program is among its lines', async () => {
  await expect(read('17 openat(AT_FDCWD, "/a", O_RDONLY) = 3\nHello, world\n')).rejects.toMatchObject({
    code: 'INVALID_RECORD',
    line: 2,
    message: expect.stringMatching(/strace -o FILE.*"Hello, world"/),
  })
})
