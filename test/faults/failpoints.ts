/**
 * Loaded before the broker's main (`node --import`): ends the process by SIGKILL before or after a named step, as the
 * environment says. The broker itself knows nothing of it.
 */
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { Scratch } from '../../src/bytes/scratch.ts'
import { JobLeases } from '../../src/jobs/queue/job-leases.ts'
import { TagMoves } from '../../src/jobs/queue/tag-moves.ts'
import { Repository } from '../../src/registry/repository.ts'

const { FAILPOINT, FAILPOINT_NTH = '1' } = process.env
let left = Number(FAILPOINT_NTH)

function reached(name: string): void {
  if (name !== FAILPOINT || --left > 0) return
  writeSync(1, `${JSON.stringify({ msg: 'failpoint', failpoint: name, pid: process.pid })}\n`)
  process.kill(process.pid, 'SIGKILL')
}

type Method = (...args: unknown[]) => Promise<unknown>

/** Puts a failpoint before and one after an asynchronous method. */
function wrap(
  target: object,
  method: PropertyKey,
  name: string | ((args: readonly unknown[]) => string),
  done: (result: unknown) => boolean = () => true,
): void {
  const original = Reflect.get(target, method) as Method
  const replacement: Method = async function (this: unknown, ...args) {
    const step = typeof name === 'string' ? name : name(args)
    reached(`${step}:before`)
    const result = await original.apply(this, args)
    if (done(result)) reached(`${step}:after`)
    return result
  }
  Reflect.set(target, method, replacement)
}

if (isMainThread) {
  wrap(JobLeases.prototype, 'claim', 'claim', (claimed) => claimed !== undefined)
  wrap(JobLeases.prototype, 'saveProgress', 'progress')
  wrap(JobLeases.prototype, 'succeed', 'finish')
  wrap(TagMoves.prototype, 'recordOutcome', 'settle')
  wrap(Repository.prototype, 'resolve', 'read-tag')
  wrap(Repository.prototype, 'getManifest', 'read-manifest')
  wrap(Repository.prototype, 'openBlob', 'read-blob')
  wrap(Repository.prototype, 'pushBytes', 'push-config')
  wrap(Repository.prototype, 'uploadStream', 'push-layer')
  wrap(Repository.prototype, 'pushBlob', 'push-layer')
  wrap(Repository.prototype, 'putManifest', ([, , at]) =>
    String(at).startsWith('sha256:') ? 'put-manifest' : 'put-tag',
  )
  wrap(Scratch, 'open', 'open-scratch')
  wrap(Scratch.prototype, Symbol.asyncDispose, 'close-scratch')
  const guard = TagMoves.prototype.guard
  TagMoves.prototype.guard = function (holder) {
    const guarded = guard.call(this, holder)
    return (move, act) => {
      reached('intend:before')
      return guarded(move, (stillMine) => {
        reached('intend:after')
        return act(stillMine)
      })
    }
  }
}
