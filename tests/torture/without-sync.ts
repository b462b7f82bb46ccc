// Loaded before a server for a control: its database never syncs, as if its author had forgotten to.
import { DatabaseSync } from 'node:sqlite'

const exec = DatabaseSync.prototype.exec
DatabaseSync.prototype.exec = function (this: DatabaseSync, text: string) {
  exec.call(this, text.replace(/synchronous = \w+/, 'synchronous = off'))
}
