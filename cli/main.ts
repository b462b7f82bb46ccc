#!/usr/bin/env node
// The entry of the `tocsin` command. It checks the Node.js it runs on before anything newer is parsed, so it keeps to
// old syntax: static imports and top-level await would fail first, with a stack trace.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
// 23.0 to 23.3 came without node:sqlite.
const suitable = major > 23 || (major === 23 && minor >= 4) || (major === 22 && minor >= 13)

if (suitable) {
  import('./program.ts')
    .then(({ runProgram }) => runProgram(process.argv.slice(2)))
    .catch((error: unknown) => {
      console.error(error)
      process.exitCode = 1
    })
} else {
  console.error(`Tocsin needs Node.js 22.13 or newer (not 23.0 to 23.3); this is ${process.versions.node}.`)
  process.exitCode = 1
}
