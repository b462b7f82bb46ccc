import { alertsContract } from '../contract/alerts-contract.ts'
import { logContract } from '../contract/log-contract.ts'
import { tablesContract } from '../contract/tables-contract.ts'
import { sqlitePlace } from './sqlite-place.ts'

logContract('SQLite', sqlitePlace)
tablesContract('SQLite', sqlitePlace)
alertsContract('SQLite', sqlitePlace)
