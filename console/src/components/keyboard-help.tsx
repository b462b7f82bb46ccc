// Which keys do what.
import { texts } from '../texts.ts'
import { pages } from '../views/pages.tsx'
import { Dialog } from './dialog.tsx'

interface Row {
  keys: readonly [first: string, second?: string]
  /** How the second belongs to the first. */
  between?: string
  what: string
}

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  const words = texts.keys
  const rows: readonly Row[] = [
    { keys: ['?'], what: words.help },
    ...pages.map(({ key, name }): Row => ({
      keys: ['g', key],
      between: words.after,
      what: words.goTo(texts.nav[name])
    })),
    { keys: ['/'], what: words.search },
    { keys: ['↓', 'j'], between: words.or, what: words.down },
    { keys: ['↑', 'k'], between: words.or, what: words.up },
    { keys: ['Enter'], what: words.open },
    { keys: ['Escape'], what: words.close },
    { keys: ['Ctrl', 'Enter'], between: '+', what: words.submit },
    { keys: ['p'], what: words.pause },
    { keys: ['a'], what: words.acknowledge },
    { keys: ['r'], what: words.resolve },
    { keys: ['s'], what: words.silence }
  ]
  return (
    <Dialog title={words.title} onClose={onClose}>
      <dl class="keys">
        {rows.map(({ keys: [first, second], between, what }) => (
          <div key={what}>
            <dt>
              <kbd>{first}</kbd>
              {second !== undefined && (
                <>
                  {' '}
                  {between} <kbd>{second}</kbd>
                </>
              )}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
