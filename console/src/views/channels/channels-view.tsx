// To be written.
export function ChannelsView() {
  return <h1>ChannelsView</h1>
}
