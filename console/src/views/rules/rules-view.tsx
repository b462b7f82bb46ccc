// To be written.
export function RulesView() {
  return <h1>RulesView</h1>
}
