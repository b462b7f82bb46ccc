// Loaded before a server: its time of day is what a file says it is off by, in ms. Timers run on unmoved, as they do when
// somebody sets a real clock.
import { readFileSync } from 'node:fs'

const LOOK_MS = 20

const file = new URL(import.meta.url).searchParams.get('file') ?? ''
const real = Date.now.bind(Date)
let offMs = 0

const look = () => {
  const text = readFileSync(file, 'utf8')
  if (text !== '') offMs = Number(text)
}
look()
setInterval(look, LOOK_MS).unref()
Date.now = () => real() + offMs
