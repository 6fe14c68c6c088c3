import type { AuditEvent } from './audit-entry.ts'
import type { Level } from './repeated-events.ts'

/** Kinds of unsuccessful events that are told apart in an interval. */
const MAX_KINDS_OF_ANONYMOUS = 100
/** Of one caller, and of those of a project: neither hides what others do. */
const MAX_KINDS_OF_CALLER = 200
const MAX_KINDS_OF_PROJECT = 1000
const MAX_CALLERS_OF_PROJECT = 200
/** In all, so that they fit into memory, whatever projects there are. */
const MAX_KINDS = 10_000
const MAX_CALLERS = 5000
const MAX_PROJECTS = 1000

/**
 * Returns how an event is counted that a caller can repeat at will, from the most detailed way to the least: an event
 * beyond a bound counts together with others of its caller, those of too many callers by their project, and at last all
 * together.
 */
export function levelsOf(event: AuditEvent): Level[] {
  const { kind, subject, issuer, tokenId, project, address, outcome, action, status, code } = event
  const various = variousOf(event)
  if (kind === 'anonymous') {
    const bounds = [{ name: 'anonymous', maxKeys: MAX_KINDS_OF_ANONYMOUS }]
    return [
      { key: keyOf('anonymous', address, outcome, action, status, code), event, bounds },
      { key: 'anonymous', event: various, bounds: [] },
    ]
  }
  const caller = { kind, subject, issuer, tokenId, project }
  const who = Object.values(caller)
  return [
    {
      key: keyOf('kind', ...who, address, outcome, action, status, code, event.repository, event.resource),
      event,
      bounds: [
        { name: keyOf('kinds of caller', ...who), maxKeys: MAX_KINDS_OF_CALLER },
        { name: keyOf('kinds of project', project), maxKeys: MAX_KINDS_OF_PROJECT },
        { name: 'kinds', maxKeys: MAX_KINDS },
      ],
    },
    {
      key: keyOf('caller', ...who, outcome),
      event: { ...various, ...caller },
      bounds: [
        { name: keyOf('callers of project', project), maxKeys: MAX_CALLERS_OF_PROJECT },
        { name: 'callers', maxKeys: MAX_CALLERS },
      ],
    },
    {
      key: keyOf('project', kind, project, outcome),
      event: { ...various, project },
      bounds: [{ name: 'projects', maxKeys: MAX_PROJECTS }],
    },
    { key: 'callers', event: various, bounds: [] },
  ]
}

/** What is recorded of an event that is counted together with those of other kinds. */
function variousOf({ at, kind, method, outcome, status }: AuditEvent): AuditEvent {
  return { at, kind, method, outcome, status, action: 'various' }
}

function keyOf(...parts: readonly (string | number | undefined)[]): string {
  return JSON.stringify(parts)
}
