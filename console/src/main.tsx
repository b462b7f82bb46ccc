// Begins: who is signed in, by cookie or by the code of a sign-in link, and the page for them.
import { render } from 'preact'
import './styles/tokens.css'
import './styles/base.css'
import './styles/frame.css'
import './styles/views.css'
import './styles/alerts.css'
import './styles/alerting.css'
import './styles/devices.css'
import { App } from './app.tsx'
import { watchAttention } from './state/attention.ts'
import { beginSession } from './state/begin-session.ts'

watchAttention()
void beginSession()
const page = document.querySelector('#page')
if (page !== null) render(<App />, page)
