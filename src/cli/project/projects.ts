import { Argument, type Command } from 'commander'
import { BrokerError } from '../../client/broker-error.ts'
import { projectName } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption } from '../broker/list-options.ts'
import {
  addServerOptions,
  type BrokerContext,
  type BrokerOptions,
  withBroker,
} from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { addProjectOptions, changeRules, type ProjectOptions } from './project-options.ts'
import { type Project, projectText, projectWithUsageText } from './project-text.ts'

/** Adds `project set`, `list`, `show` and `delete`. */
export function addProjectCommands(program: Command): void {
  const project = program
    .command('project')
    .description('manage the projects that share a broker, as an administrator')
  const set = addProjectOptions(
    project
      .command('set')
      .description('create a project, or change those of its rules that the options name')
      .addArgument(nameArgument()),
  )
  describeCommand(addServerOptions(set).action(setProject), {
    examples: [
      [
        "project set team-a --read 'registry.example/**' --write 'registry.example/team-a/**' --quota records=1000",
        'create a project, or change it',
      ],
      ['project set team-a --quota storedBytes=none', 'remove a limit'],
    ],
    settings: ['commands'],
  })
  const list = project.command('list').description('list the projects by name')
  addServerOptions(addLimitOption(list, 'projects')).action(listProjects)
  addServerOptions(
    project
      .command('show')
      .description('show the rules of a project, and what it uses')
      .addArgument(nameArgument()),
  ).action(showProject)
  addServerOptions(
    project
      .command('delete')
      .description('delete a project without usable tokens and unfinished jobs; its records remain')
      .addArgument(nameArgument()),
  ).action(deleteProject)
}

function nameArgument(): Argument {
  return new Argument('<name>', 'name of the project').argParser(projectName)
}

async function setProject(
  name: string,
  options: BrokerOptions & ProjectOptions,
  command: Command,
): Promise<void> {
  const project = await withBroker(command, async ({ client, signal }) => {
    const params = { path: { name } }
    const rules = await readRules({ client, signal }, name)
    return client.put('/v1/projects/{name}', { params, body: changeRules(rules, options) as never, signal })
  })
  print(options, project, { text: projectText, names: () => name })
}

/** Returns the rules of a project; those of one that does not exist are empty. */
async function readRules(
  { client, signal }: Pick<BrokerContext, 'client' | 'signal'>,
  name: string,
): Promise<Partial<Project>> {
  try {
    const params = { path: { name } }
    const project = await client.get('/v1/projects/{name}', { params, signal })
    const { name: _, createdAt, updatedAt, ...rules } = project
    return rules
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'PROJECT_NOT_FOUND') return {}
    throw error
  }
}

async function listProjects(
  options: BrokerOptions & { readonly limit: number },
  command: Command,
): Promise<void> {
  const { limit } = options
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/projects', { limit, signal }),
  )
  print(options, list, {
    text: (projects) => listText(projects, projectText),
    names: ({ items }) => items.map(({ name }) => name),
  })
}

async function showProject(name: string, options: BrokerOptions, command: Command): Promise<void> {
  const shown = await withBroker(command, async ({ client, signal }) => {
    const params = { path: { name } }
    const project = await client.get('/v1/projects/{name}', { params, signal })
    return { ...project, usage: await client.get('/v1/projects/{name}/usage', { params, signal }) }
  })
  print(options, shown, { text: projectWithUsageText, names: () => name })
}

async function deleteProject(name: string, options: BrokerOptions, command: Command): Promise<void> {
  await withBroker(command, ({ client, signal }) =>
    client.delete('/v1/projects/{name}', { params: { path: { name } }, signal }),
  )
  print(options, { name }, { text: () => `project ${name} was deleted\n`, names: () => name })
}
