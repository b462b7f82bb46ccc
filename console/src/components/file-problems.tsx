// What is wrong with a rule or with the alerting file, each with its line; or why the server could not be asked.
import { RequestError } from '../api/requests.ts'
import { texts } from '../texts.ts'
import { Problem } from './problem.tsx'

export function FileProblems({ error, lead }: { error: unknown; lead: string }) {
  if (!(error instanceof RequestError) || error.problems.length === 0) return <Problem error={error} />
  return (
    <div class="problem file-problems" role="alert">
      <p>{lead}</p>
      <ul>
        {error.problems
          .toSorted((one, other) => one.line - other.line)
          .map(({ line, message }) => (
            <li key={`${line} ${message}`}>
              <strong>{texts.rules.line(line)}</strong> {withoutOnly(message)}
            </li>
          ))}
      </ul>
    </div>
  )
}

/** The place of an only rule tells nothing: `[0].when: …`. */
function withoutOnly(message: string): string {
  return message.replace(/^\[0\](?:\.|: )/, '')
}
