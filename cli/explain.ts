// tocsin explain: why there was an alert, and who was told.
import type { Command } from 'commander'
import { storyLines } from './alert-story.ts'
import type { AlertStory } from './alert-story.ts'
import { operatorRequests } from './operator-requests.ts'
import type { RemoteOptions } from './operator-requests.ts'
import { remoteCommand } from './remote-command.ts'

/** The `explain` command. */
export function explainCommand(): Command {
  return remoteCommand('explain')
    .argument('<alert>', 'id of the alert')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
Shows an alert from the event that raised it to its end: every change, every attempt to tell somebody, and whatever was
not told, with the reason.

Example:
  tocsin explain a17
`
    )
    .action(async (id: string, options: RemoteOptions & { json?: true }, command: Command) => {
      const ask = await operatorRequests(command, options)
      const story = (await ask(`/v1/alerts/${encodeURIComponent(id)}`)) as AlertStory
      if (options.json) console.log(JSON.stringify(story))
      else
        process.stdout.write(
          storyLines(story)
            .map(line => `${line}\n`)
            .join('')
        )
    })
}
