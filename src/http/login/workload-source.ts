import type { WorkloadIdentities } from '../../access/workload/workload-identities.ts'
import type { CallerSource } from '../access/caller-source.ts'

/** Accepts the tokens of OIDC issuers, also as the password of registry clients. */
export function workloadSource(identities: WorkloadIdentities): CallerSource {
  return {
    identify: async (presented) =>
      presented.kind === 'none' ? undefined : identities.identify(presented.secret),
  }
}
