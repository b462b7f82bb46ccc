// To be written.
export function SilencesView() {
  return <h1>SilencesView</h1>
}
