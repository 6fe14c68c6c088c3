/** Holds a folder; told a number of milliseconds on standard input, it says that it stops, and lets go after that time. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { FolderLock } from '../../src/db/folder-lock.ts'

const [folder = ''] = process.argv.slice(2)
const lock = await FolderLock.acquire(folder, 0)
process.stdout.write('held\n')
const [text] = (await once(process.stdin, 'data')) as [Buffer]
lock.announceStop()
process.stdout.write('stopping\n')
await delay(Number(text))
lock[Symbol.dispose]()
process.exit()
