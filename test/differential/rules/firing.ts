/** Notes which rules find something wrong in this process, and in others that are started with this module. */
import { readFileSync, writeFileSync } from 'node:fs'
import { sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { watchFieldErrors } from '../../../src/api/machinery/field-error.ts'
import { FOLDER, type Site, topicsOf } from './sites.ts'

const FRAME = /\/src\/api\/kinds\/([^:)]+\.ts):(\d+):(\d+)/g
const DEPTH = 40

const places = new Set<string>()
const fields = new Set<string>()
let topic = ''

/** What is asked next is about this topic. */
export function beginTopic(name: string) {
  topic = name
}

/** Begins to take notes. */
export function watchRules() {
  watchFieldErrors(field => {
    const before = Error.stackTraceLimit
    Error.stackTraceLimit = DEPTH
    const { stack = '' } = new Error()
    Error.stackTraceLimit = before
    for (const [, file, line, column] of stack.matchAll(FRAME)) places.add(`${file}:${line}:${column}`)
    if (topic) fields.add(`${topic} ${field}`)
  })
}

/** Adds what another process noted. */
export function addNotes(file: string) {
  for (const place of JSON.parse(readFileSync(file, 'utf8'))) places.add(place)
}

export const hasFired = ({ file, line, column, field }: Site) =>
  field
    ? topicsOf(file).some(each => fields.has(`${each} ${field}`))
    : places.has(`${file.replaceAll(sep, '/')}:${line}:${column}`)

/** In the process of the unit tests. */
const notes = process.env.TUTTI_RULE_NOTES
if (notes) {
  watchRules()
  process.on('exit', () => writeFileSync(notes, JSON.stringify([...places])))
}

/** For --import. */
export const self = pathToFileURL(import.meta.filename).href
export const unitTests = `${FOLDER}/**/*.test.ts`
