/**
 * Locks a folder. When it reads a number of milliseconds from standard input, it announces that it stops, and
 * releases the lock after that time.
 */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { FolderLock } from '../../../src/db/folder-lock.ts'

const [folder = ''] = process.argv.slice(2)
const lock = await FolderLock.acquire(folder, 0)
process.stdout.write('held\n')
const [milliseconds] = (await once(process.stdin, 'data')) as [Buffer]
lock.announceStop()
process.stdout.write('stopping\n')
await delay(Number(milliseconds))
lock[Symbol.dispose]()
process.exit()
