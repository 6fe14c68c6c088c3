/**
 * Preloaded into the broker's processes (`node --import`): kills the process with SIGKILL at a failpoint.
 * FAILPOINT names it (`STEP:before` or `STEP:after`), and FAILPOINT_NTH is the number of times that it must
 * be reached.
 */
import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { Scratch } from '../../src/bytes/scratch.ts'
import { JobLeases } from '../../src/jobs/claims/job-leases.ts'
import { TagMoves } from '../../src/jobs/claims/tag-moves.ts'
import { Repository } from '../../src/registry/repository.ts'

const { FAILPOINT, FAILPOINT_NTH = '1' } = process.env
let remaining = Number(FAILPOINT_NTH)

function reach(name: string): void {
  if (name !== FAILPOINT || --remaining > 0) return
  writeSync(1, `${JSON.stringify({ msg: 'failpoint', failpoint: name, pid: process.pid })}\n`)
  process.kill(process.pid, 'SIGKILL')
}

type Method = (...args: unknown[]) => Promise<unknown>

/**
 * Adds failpoints before and after an asynchronous method. `hasEffect` tells whether a result reaches the
 * second one.
 */
function addFailpoints(
  target: object,
  method: PropertyKey,
  name: string | ((args: readonly unknown[]) => string),
  hasEffect: (result: unknown) => boolean = () => true,
): void {
  const original = Reflect.get(target, method) as Method
  const replacement: Method = async function (this: unknown, ...args) {
    const step = typeof name === 'string' ? name : name(args)
    reach(`${step}:before`)
    const result = await original.apply(this, args)
    if (hasEffect(result)) reach(`${step}:after`)
    return result
  }
  Reflect.set(target, method, replacement)
}

if (isMainThread) {
  addFailpoints(JobLeases.prototype, 'claim', 'claim', (claimed) => claimed !== undefined)
  addFailpoints(JobLeases.prototype, 'saveProgress', 'progress')
  addFailpoints(JobLeases.prototype, 'succeed', 'finish')
  addFailpoints(TagMoves.prototype, 'recordOutcome', 'settle')
  addFailpoints(Repository.prototype, 'resolve', 'read-tag')
  addFailpoints(Repository.prototype, 'getManifest', 'read-manifest')
  addFailpoints(Repository.prototype, 'openBlob', 'read-blob')
  addFailpoints(Repository.prototype, 'pushBytes', 'push-config')
  addFailpoints(Repository.prototype, 'uploadStream', 'push-layer')
  addFailpoints(Repository.prototype, 'pushBlob', 'push-layer')
  addFailpoints(Repository.prototype, 'putManifest', ([, , reference]) =>
    String(reference).startsWith('sha256:') ? 'put-manifest' : 'put-tag',
  )
  addFailpoints(Scratch, 'open', 'open-scratch')
  addFailpoints(Scratch.prototype, Symbol.asyncDispose, 'close-scratch')
  const guard = TagMoves.prototype.guard
  TagMoves.prototype.guard = function (holder) {
    const guarded = guard.call(this, holder)
    return (move, act) => {
      reach('intend:before')
      return guarded(move, (stillMine) => {
        reach('intend:after')
        return act(stillMine)
      })
    }
  }
}
