// Damage to files, as disks do it.
import { open, readFile, stat, truncate } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

/** Inverts a byte. */
export async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, at)
    byte.writeUInt8((byte[0] ?? 0) ^ 0xff)
    await file.write(byte, 0, 1, at)
  } finally {
    await file.close()
  }
}

/** Overwrites bytes. */
export async function overwrite(path: string, at: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.write(bytes, 0, bytes.length, at)
  } finally {
    await file.close()
  }
}

/** Cuts the end off; `bytes` remain. */
export async function cutShort(path: string, bytes: number): Promise<void> {
  if ((await stat(path)).size <= bytes) throw new Error(`${path} is no longer than ${bytes} bytes`)
  await truncate(path, bytes)
}

/** Where a text is in a file for the first time. */
export async function placeOf(path: string, text: string, from = 0): Promise<number> {
  const at = (await readFile(path)).indexOf(text, from)
  if (at < 0) throw new Error(`${path} has no ${text}`)
  return at
}

/** Where a text is in a file: pages that are in use no more may have it, too. */
export async function placesOf(path: string, text: string): Promise<number[]> {
  const bytes = await readFile(path)
  const places: number[] = []
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) places.push(at)
  return places
}

/** Where the first page of a table or an index of a SQLite database begins, and the size of a page. */
export function rootPage(path: string, name: string): { at: number; bytes: number } {
  using db = new DatabaseSync(path, { readOnly: true })
  const root = db.prepare('select rootpage from sqlite_schema where name = ?').get(name)?.['rootpage']
  if (root === undefined) throw new Error(`there is no ${name}`)
  const bytes = Number(db.prepare('pragma page_size').get()?.['page_size'])
  return { at: (Number(root) - 1) * bytes, bytes }
}
