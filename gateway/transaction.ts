// What one decision writes: notifications and table changes that are committed together or not at all.
import type { Draft } from '../store/notification.ts'
import type { Change } from '../store/store.ts'

export class Transaction {
  readonly drafts: Draft[] = []
  readonly changes: Change[] = []

  get empty(): boolean {
    return this.drafts.length === 0 && this.changes.length === 0
  }

  append(draft: Draft): void {
    this.drafts.push(draft)
  }

  write(change: Change): void {
    this.changes.push(change)
  }
}
