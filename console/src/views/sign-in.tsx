// Where one signs in with a token, once.
import { useState } from 'preact/hooks'
import type { RequestError } from '../api/requests.ts'
import { Icon } from '../components/icon.tsx'
import { problemText } from '../components/problem.tsx'
import { linkRefused } from '../state/begin-session.ts'
import { signIn } from '../state/session.ts'
import { texts } from '../texts.ts'

export function SignIn() {
  const words = texts.signIn
  const [token, setToken] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState(linkRefused.value ? words.link : '')
  const submit = async () => {
    setBusy(true)
    setProblem('')
    try {
      await signIn({ token: token.trim() })
    } catch (error) {
      setProblem((error as RequestError).status === 401 ? words.wrong : problemText(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <main class="alone">
      <form
        class="card sign-in"
        onSubmit={event => {
          event.preventDefault()
          void submit()
        }}
      >
        <h1>
          <Icon name="bell" /> {texts.product}
        </h1>
        <p>{words.lead}</p>
        {problem !== '' && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <label class="field">
          <span>{words.token}</span>
          <input
            type="password"
            name="token"
            autoComplete="current-password"
            required
            value={token}
            onInput={event => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button button-main" disabled={busy}>
          {busy ? words.busy : words.submit}
        </button>
        <details>
          <summary>{words.help}</summary>
          <p>{words.helpText}</p>
        </details>
      </form>
    </main>
  )
}
