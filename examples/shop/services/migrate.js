// The migration: makes the orders' file once. Runs to its end before orders starts; running it again changes nothing.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env.DATA ?? '/tmp/shop-orders'
const file = join(folder, 'orders.jsonl')
mkdirSync(folder, { recursive: true })
if (existsSync(file)) console.log(`${file} is there already`)
else {
  writeFileSync(`${file}.new`, `${JSON.stringify({ schema: 1 })}\n`)
  renameSync(`${file}.new`, file)
  console.log(`made ${file}`)
}
