import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { KeyRing } from '../../access/key-ring.ts'
import { LoginIssuer } from '../../access/login/login-issuer.ts'
import { LoginPolicies } from '../../access/login/login-policy.ts'
import { LoginSessions } from '../../access/login/login-sessions.ts'
import type { ProjectDirectory } from '../../access/projects/project-directory.ts'
import { mutableClaims } from '../../access/workload/claim-kinds.ts'
import { WorkloadIdentities } from '../../access/workload/workload-identities.ts'
import { parseWorkloadPolicies } from '../../access/workload/workload-policy.ts'
import type { Database } from '../../db/database.ts'
import { CALLBACK_PATH, type Login } from '../../http/login/routes.ts'
import { type Config, ConfigError } from '../config/config.ts'
import type { IssuerConnections } from './issuer-connections.ts'

const WORKLOAD_SETTING = 'RECORD_BROKER_OIDC_POLICIES'
const LOGIN_SETTING = 'RECORD_BROKER_LOGIN_POLICIES'

/**
 * Reads the policies for workloads.
 * @returns undefined if the settings name none
 * @throws ConfigError that names the file and the field
 */
export async function openWorkloadIdentities(
  { oidcPoliciesFile: file, plainHttp }: Pick<Config, 'oidcPoliciesFile' | 'plainHttp'>,
  services: {
    readonly connections: IssuerConnections
    readonly projects: Pick<ProjectDirectory, 'read'>
    readonly log: Logger
  },
): Promise<WorkloadIdentities | undefined> {
  if (file === undefined) return undefined
  const { connections, log } = services
  const text = await readSettingFile(WORKLOAD_SETTING, file)
  const parsed = inFile(WORKLOAD_SETTING, file, () => parseWorkloadPolicies(text, { plainHttp }))
  const policies = await Promise.all(
    parsed.map(async (policy, index) => {
      const { ca } = policy
      return {
        ...policy,
        caPem: ca && (await readSettingFile(`${WORKLOAD_SETTING}: ${file}: [${index}].ca`, ca)),
      }
    }),
  )
  for (const policy of policies) {
    const claims = mutableClaims(policy)
    if (claims.length === 0) continue
    log.warn(
      { policy: policy.name, claims },
      'a policy identifies workloads by names, which others can get later; use ids, such as repository_id, project_id or /kubernetes.io/serviceaccount/uid',
    )
  }
  await warnOfMissingProjects(WORKLOAD_SETTING, policies, services)
  return new WorkloadIdentities({
    policies,
    plainHttp,
    connect: (connection) => connections.connect(connection, WORKLOAD_SETTING),
    onFailure: (issuer, err) => log.warn({ issuer, err }, 'the keys of an issuer could not be read'),
  })
}

/**
 * Prepares the login of people.
 * @param keys undefined if the settings and the data folder have none
 * @returns undefined if the settings name no issuer
 * @throws ConfigError that names the setting, or the file and the field
 */
export async function openLogin(
  { login: config }: Pick<Config, 'login'>,
  services: {
    readonly database: Database
    readonly keys: KeyRing | undefined
    readonly connections: IssuerConnections
    readonly projects: Pick<ProjectDirectory, 'read'>
    readonly log: Logger
  },
): Promise<Login | undefined> {
  if (config === undefined) return undefined
  const { database, keys, connections } = services
  if (keys === undefined) {
    throw new ConfigError('RECORD_BROKER_SECRET_KEY: required for the login of people with PostgreSQL')
  }
  const { issuer, policiesFile: file, groupsClaim, publicUrl } = config
  const text = await readSettingFile(LOGIN_SETTING, file)
  const policies = inFile(LOGIN_SETTING, file, () => LoginPolicies.parse(text, groupsClaim))
  await warnOfMissingProjects(LOGIN_SETTING, policies.all, services)
  const fetch = connections.connect({ hosts: [new URL(issuer).host] }, 'RECORD_BROKER_LOGIN_ISSUER')
  return {
    policies,
    issuer: new LoginIssuer({ ...config, redirectUri: new URL(CALLBACK_PATH, publicUrl), fetch }),
    sessions: new LoginSessions(database, keys),
    keys,
    publicUrl,
  }
}

/** A project may come later, so that the broker starts. */
async function warnOfMissingProjects(
  setting: string,
  policies: readonly { readonly name: string; readonly project: string }[],
  { projects, log }: { readonly projects: Pick<ProjectDirectory, 'read'>; readonly log: Logger },
): Promise<void> {
  for (const name of new Set(policies.map(({ project }) => project))) {
    if (await projects.read(name)) continue
    const ofProject = policies.filter(({ project }) => project === name).map((policy) => policy.name)
    log.warn(
      { setting, project: name, policies: ofProject },
      'policies name a project that does not exist: their callers are refused until it is created',
    )
  }
}

async function readSettingFile(setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`${setting}: ${(error as Error).message}`)
  }
}

function inFile<Result>(setting: string, file: string, parse: () => Result): Result {
  try {
    return parse()
  } catch (error) {
    throw new ConfigError(`${setting}: ${file}: ${(error as Error).message}`)
  }
}
