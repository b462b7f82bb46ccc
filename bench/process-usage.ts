// What a process has used, all its threads together, as the kernel counts it. Linux only.
import { readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100 // USER_HZ, the unit of /proc/PID/stat, on every Linux that Node.js runs on
const PAGE_BYTES = 4096

/** CPU time of a process in user and system mode, µs; in steps of 10 ms. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in brackets, which may contain anything; utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / TICKS_PER_SECOND
}

/** Memory of a process that is in RAM, bytes. */
export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
}

/** CPU time that all processes of the machine have used, µs. */
export function machineMicroseconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  // user nice system idle iowait irq softirq …
  const [, user, nice, system, , , irq, softirq] = line.split(/\s+/).map(Number)
  const ticks = [user, nice, system, irq, softirq].reduce<number>((sum, part) => sum + (part ?? 0), 0)
  return (ticks * 1_000_000) / TICKS_PER_SECOND
}
