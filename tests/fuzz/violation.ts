/** The server did what it must not. */
export class Violation extends Error {
  override readonly name = 'Violation'
}
