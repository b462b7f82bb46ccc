// To be written.
export function RulePage({ name }: { name: string }) {
  return <h1>{name}</h1>
}
