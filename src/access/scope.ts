import { z } from 'zod'

/** What a caller may do. Each route requires one of these scopes; `admin` includes all others. */
export const Scope = z
  .enum([
    'records:read',
    'records:write',
    'records:delete',
    'record-images:read',
    'record-images:write',
    'conversions:read',
    'conversions:write',
    'rules:write',
    'cache:write',
    'registry:pull',
    'registry:push',
    'admin',
  ])
  .meta({ id: 'Scope', description: 'What a caller may do. `admin` includes all other scopes.' })
export type Scope = z.infer<typeof Scope>

/** All scopes, in the order of the documentation. */
export const SCOPES: readonly Scope[] = Scope.options
