// To be written.
export function AlertsView() {
  return <h1>AlertsView</h1>
}
