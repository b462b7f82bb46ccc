// What an admin does about a device's registration: begin it, renew its token, end it.
import { useState } from 'preact/hooks'
import { post, remove } from '../../api/requests.ts'
import { AskDialog } from '../../components/ask-dialog.tsx'
import { CopyField } from '../../components/copy-field.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { say } from '../../components/toast.tsx'
import { texts } from '../../texts.ts'

const words = texts.devices
const ID_CHARACTERS_MAX = 256

interface Credentials {
  id: string
  token: string
}

export interface RegistrationDialogProps {
  onClose: () => void
  /** Called as soon as something is changed. */
  onDone: () => void
}

/** Registers a device, of an id that is given or asked for, and shows its token. */
export function RegisterDialog({ id: given, onClose, onDone }: RegistrationDialogProps & { id?: string }) {
  const [id, setId] = useState(given ?? '')
  const [credentials, setCredentials] = useState<Credentials | null>(null)
  if (credentials !== null) return <TokenDialog credentials={credentials} onClose={onClose} />
  return (
    <AskDialog
      title={given === undefined ? words.register : words.registerTitle(given)}
      submit={words.registerThis}
      onClose={onClose}
      onSubmit={async () => {
        setCredentials(await post<Credentials>('/v1/devices', { id }))
        onDone()
      }}
    >
      {given === undefined && (
        <label class="field">
          <span>{words.id}</span>
          <input
            required
            maxLength={ID_CHARACTERS_MAX}
            placeholder={words.idHint}
            value={id}
            autoFocus
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            onInput={event => setId(event.currentTarget.value)}
          />
        </label>
      )}
      <p class="quiet">{words.registerLead}</p>
    </AskDialog>
  )
}

/** Gives a device a new token, and shows it. */
export function RotateDialog({ id, onClose, onDone }: RegistrationDialogProps & { id: string }) {
  const [credentials, setCredentials] = useState<Credentials | null>(null)
  if (credentials !== null) return <TokenDialog credentials={credentials} onClose={onClose} />
  return (
    <AskDialog
      title={words.rotateTitle(id)}
      submit={words.rotate}
      onClose={onClose}
      onSubmit={async () => {
        setCredentials(await post<Credentials>(`/v1/devices/${encodeURIComponent(id)}/rotate`))
        onDone()
      }}
    >
      <p>{words.rotateLead}</p>
    </AskDialog>
  )
}

/** Ends a device's registration. */
export function RemoveDialog({ id, onClose, onDone }: RegistrationDialogProps & { id: string }) {
  return (
    <AskDialog
      title={words.removeTitle(id)}
      submit={words.remove}
      onClose={onClose}
      onSubmit={async () => {
        await remove(`/v1/devices/${encodeURIComponent(id)}`)
        say(words.removed(id))
        onDone()
        onClose()
      }}
    >
      <ul class="consequences">
        {words.removeLead.map(sentence => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </AskDialog>
  )
}

/** A token, this once; a click beside the dialog does not lose it. */
function TokenDialog({ credentials, onClose }: { credentials: Credentials; onClose: () => void }) {
  const { id, token } = credentials
  return (
    <Dialog title={words.tokenTitle(id)} onClose={onClose} closesBeside={false}>
      <p class="notice">{words.tokenLead}</p>
      <CopyField label={words.token} text={token} autoFocus />
      <p class="quiet">{words.tokenUse(id)}</p>
      <p class="actions actions-end">
        <button type="button" class="button button-main" onClick={onClose}>
          {words.tokenDone}
        </button>
      </p>
    </Dialog>
  )
}
