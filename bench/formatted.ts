// What the bench writes into the repository looks as the format check wants it.
import { writeFile } from 'node:fs/promises'
import { format, resolveConfig } from 'prettier'

/** Writes a file, formatted as its name and the repository's settings ask for. */
export async function writeFormatted(file: string, text: string): Promise<void> {
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }))
}
