// Which keys do what.
import { texts } from '../texts.ts'
import { pages } from '../views/pages.tsx'
import { Dialog } from './dialog.tsx'

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  const words = texts.keys
  const rows: [string, string][] = [
    ['?', words.help],
    ...pages.map(({ key, name }): [string, string] => [`g ${key}`, words.goTo(texts.nav[name])]),
    ['/', words.search],
    ['↓ j', words.down],
    ['↑ k', words.up],
    ['Enter', words.open],
    ['Escape', words.close],
    ['p', words.pause],
    ['a', words.acknowledge],
    ['r', words.resolve],
    ['s', words.silence]
  ]
  return (
    <Dialog title={words.title} onClose={onClose}>
      <dl class="keys">
        {rows.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
