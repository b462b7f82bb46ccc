// Sets everything up from a bare clone, then runs a command: dependencies when they are missing or the lock file
// changed, a build when it is stale. Plain old JavaScript without dependencies: it runs on whatever Node.js is there.
//
//   node scripts/setup.cjs                 install and build
//   node scripts/setup.cjs run ARGS…       then run tocsin with these arguments
//   node scripts/setup.cjs test ARGS…      then lint, check the format, and run the tests (arguments go to jest)
'use strict'

const childProcess = require('child_process')
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')

const root = path.join(__dirname, '..')
const modules = path.join(root, 'node_modules')
const dist = path.join(root, 'dist')
const entry = path.join(dist, 'cli', 'main.js')
const consoleSources = path.join(root, 'console')
const consolePage = path.join(dist, 'console', 'page')
const consoleIndex = path.join(consolePage, 'index.html')
// A young heap of this size, and not Node.js 24's several times larger, halves the memory of many connections.
const memoryFlags = ['--max-semi-space-size=16']
const stamp = path.join(dist, '.built-from')

main(process.argv.slice(2))

function main(args) {
  const command = args[0] || 'setup'
  if (['setup', 'build', 'run', 'test'].indexOf(command) < 0)
    fail('"' + command + '" is not one of setup, build, run, test.', 2)
  if (!dependenciesMatch()) install()
  if (command === 'test') return test(args.slice(1))
  if (command === 'build' || !isBuilt()) build()
  if (command === 'run') run(node(), memoryFlags.concat(entry, args.slice(1)))
}

/** Whether what npm says it installed is what the lock file asks for. */
function dependenciesMatch() {
  const wanted = readJson(path.join(root, 'package-lock.json'))
  const installed = readJson(path.join(modules, '.package-lock.json'))
  if (!wanted) fail('package-lock.json is missing or damaged; it belongs to the repository.')
  if (!installed) return false
  return Object.keys(wanted.packages).every(function (name) {
    const want = wanted.packages[name]
    const have = installed.packages[name]
    if (name === '') return true
    if (!have) return want.optional === true // made for another kind of machine
    return (
      have.version === want.version &&
      (!have.integrity || !want.integrity || have.integrity === want.integrity)
    )
  })
}

function install() {
  say('Installing dependencies (npm ci) …')
  const npm = process.env.npm_execpath
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }
  const result =
    npm && /\.c?js$/.test(npm)
      ? childProcess.spawnSync(process.execPath, [npm].concat(args), options)
      : childProcess.spawnSync('npm', args, Object.assign({ shell: process.platform === 'win32' }, options))
  if (result.error)
    fail('npm could not be started (' + result.error.message + '); Tocsin needs npm 7 or newer.')
  if (result.status !== 0)
    fail(
      'The dependencies could not be installed; see above. It takes npm 7 or newer and a way to its registry.'
    )
}

function isBuilt() {
  return fs.existsSync(entry) && fs.existsSync(consoleIndex) && readText(stamp) === sourcesState()
}

function build() {
  say('Building …')
  const state = sourcesState() // before the build: what changes meanwhile makes it stale
  removeOrphans(dist)
  removeFile(stamp)
  const typescript = path.join(modules, 'typescript', 'bin', 'tsc')
  runStep([typescript])
  fs.chmodSync(entry, 0o755)
  buildConsole(typescript)
  fs.writeFileSync(stamp, state)
}

/** The operators' page takes a few seconds, so only when its own sources have changed. */
function buildConsole(typescript) {
  const consoleStamp = path.join(dist, 'console', '.built-from')
  const state = folderState([consoleSources], /./)
  if (readText(consoleStamp) === state && fs.existsSync(consoleIndex)) return
  removeFile(consoleStamp)
  runStep([typescript, '-p', consoleSources])
  runStep([path.join(modules, 'vite', 'bin', 'vite.js'), 'build', consoleSources])
  fs.writeFileSync(consoleStamp, state)
}

function runStep(args) {
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }
  const result = childProcess.spawnSync(node(), args, options)
  if (result.error || result.status !== 0) fail('Tocsin could not be built; see above.')
}

/** A digest of names, sizes and times of everything the build reads. */
function sourcesState() {
  const include = (readJson(path.join(root, 'tsconfig.json')) || {}).include || []
  const folders = include.map(function (folder) {
    return path.join(root, folder)
  })
  return folderState(folders, /\.ts$/) + folderState([consoleSources], /./)
}

/** A digest of the lock file and of the names, sizes and times of files. */
function folderState(folders, pattern) {
  const hash = crypto.createHash('sha256')
  hash.update(readText(path.join(root, 'tsconfig.json')) + readText(path.join(root, 'package-lock.json')))
  folders.forEach(function (folder) {
    walk(folder, function (file) {
      if (!pattern.test(file)) return
      const stat = fs.statSync(file)
      hash.update('\n' + path.relative(root, file) + ' ' + stat.size + ' ' + stat.mtimeMs)
    })
  })
  return hash.digest('hex')
}

/** Outputs whose source is gone would still be run, as tests for instance. */
function removeOrphans(folder) {
  walk(folder, function (file) {
    if (!/\.js(\.map)?$/.test(file) || file.startsWith(consolePage + path.sep)) return
    const source = path.join(root, path.relative(dist, file)).replace(/\.js(\.map)?$/, '.ts')
    if (!fs.existsSync(source)) removeFile(file)
  })
}

function test(jestArgs) {
  const failed = []
  const steps = [
    ['type check and build', null],
    ['lint', ['oxlint', 'bin', 'oxlint'], ['--type-aware', '--deny-warnings']],
    ['format', ['prettier', 'bin', 'prettier.cjs'], ['--check', '--log-level', 'warn', '.']]
  ]
  steps.forEach(function (step) {
    say('— ' + step[0])
    if (step[1] === null) return build()
    const script = path.join.apply(path, [modules].concat(step[1]))
    const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }
    if (childProcess.spawnSync(node(), [script].concat(step[2]), options).status !== 0) failed.push(step[0])
  })
  say('— tests')
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
  run(node(), flags.concat(path.join(modules, 'jest', 'bin', 'jest.js'), jestArgs), function (code) {
    if (code !== 0) failed.push('tests')
    if (failed.length > 0) fail('Failed: ' + failed.join(', ') + '.')
  })
}

/** The Node.js that came with the dependencies; else this one, which tocsin itself then judges. */
function node() {
  const own = path.join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return fs.existsSync(own) ? own : process.execPath
}

/** Runs until the end with this terminal, passing signals on, and takes over how it ended. */
function run(program, args, onExit) {
  const child = childProcess.spawn(program, args, { cwd: onExit ? root : process.cwd(), stdio: 'inherit' })
  const terminal = process.stdin.isTTY === true
  ;['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(function (signal) {
    process.on(signal, function () {
      if (signal === 'SIGINT' && terminal) return // a terminal sends Ctrl-C to the child, too
      child.kill(signal)
    })
  })
  // npm passes SIGTERM to the shell it started this with, and many shells end without passing it on. Then nobody is left
  // to whom a server of that npm belongs.
  const parent = process.ppid
  const watch = setInterval(function () {
    if (process.ppid === parent) return
    clearInterval(watch)
    child.kill('SIGTERM')
  }, 500)
  watch.unref()
  child.on('error', function (error) {
    fail('Node.js could not be started: ' + error.message)
  })
  child.on('exit', function (code, signal) {
    const status = signal ? 128 + (require('os').constants.signals[signal] || 0) : code
    if (onExit) return onExit(status)
    process.exitCode = status
  })
}

function walk(folder, onFile) {
  if (!fs.existsSync(folder)) return
  fs.readdirSync(folder, { withFileTypes: true }).forEach(function (item) {
    const full = path.join(folder, item.name)
    if (item.isDirectory()) walk(full, onFile)
    else onFile(full)
  })
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    return ''
  }
}

function readJson(file) {
  try {
    return JSON.parse(readText(file))
  } catch (error) {
    return null
  }
}

function removeFile(file) {
  if (fs.existsSync(file)) fs.unlinkSync(file)
}

function say(text) {
  process.stderr.write(text + '\n')
}

function fail(text, code) {
  say(text)
  process.exit(code || 1)
}
