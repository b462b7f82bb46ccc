// To be written.
export function AlertPage({ id }: { id: string }) {
  return <h1>{id}</h1>
}
