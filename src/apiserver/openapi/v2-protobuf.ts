/**
 * OpenAPI v2 as protobuf (gnostic's `openapi.v2.Document`), which kubectl asks for when it checks a List or looks for
 * what v3 does not tell it. Only what our documents hold is written; field numbers are those of OpenAPIv2.proto.
 */
import { WireWriter } from '../../lib/protobuf/wire.ts'

/** What the answer is called. Clients ask for `…v2@v1.0+protobuf`, whose @ is not allowed in a Content-Type. */
export const V2_PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

type Json = Record<string, unknown>

const entries = (value: unknown) => Object.entries((value ?? {}) as Record<string, Json>)

/** Writes one message as a field of another. */
function message(writer: WireWriter, number: number, fill: () => void): void {
  writer.tag(number, 2)
  writer.delimited(fill)
}

function text(writer: WireWriter, number: number, value: unknown): void {
  if (typeof value === 'string' && value) writer.stringField(number, value)
}

function flag(writer: WireWriter, number: number, value: unknown): void {
  if (value !== true) return
  writer.tag(number, 0)
  writer.varint(1)
}

const texts = (writer: WireWriter, number: number, values: unknown) => {
  for (const value of (values as readonly string[] | undefined) ?? []) writer.stringField(number, value)
}

/** Any value, as YAML (JSON is YAML). */
const anything = (writer: WireWriter, number: number, value: unknown) =>
  message(writer, number, () => writer.stringField(2, JSON.stringify(value)))

/** The `x-…` fields of an object. */
function extensions(writer: WireWriter, number: number, object: Json): void {
  for (const [name, value] of Object.entries(object)) {
    if (!name.startsWith('x-')) continue
    message(writer, number, () => {
      writer.stringField(1, name)
      anything(writer, 2, value)
    })
  }
}

const named = (writer: WireWriter, number: number, name: string, fill: () => void) =>
  message(writer, number, () => {
    writer.stringField(1, name)
    message(writer, 2, fill)
  })

function double(writer: WireWriter, number: number, value: unknown): void {
  if (typeof value !== 'number' || value === 0) return
  writer.tag(number, 1)
  writer.double(value)
}

function int(writer: WireWriter, number: number, value: unknown): void {
  if (typeof value !== 'number' || value === 0) return
  writer.tag(number, 0)
  writer.varint(value)
}

/** What a schema says of single values: fields 6 to 18, which custom resources have. */
function bounds(writer: WireWriter, value: Json): void {
  double(writer, 6, value.multipleOf)
  double(writer, 7, value.maximum)
  flag(writer, 8, value.exclusiveMaximum)
  double(writer, 9, value.minimum)
  flag(writer, 10, value.exclusiveMinimum)
  int(writer, 11, value.maxLength)
  int(writer, 12, value.minLength)
  text(writer, 13, value.pattern)
  int(writer, 14, value.maxItems)
  int(writer, 15, value.minItems)
  flag(writer, 16, value.uniqueItems)
  int(writer, 17, value.maxProperties)
  int(writer, 18, value.minProperties)
}

function schema(writer: WireWriter, value: Json): void {
  text(writer, 1, value.$ref)
  text(writer, 2, value.format)
  text(writer, 3, value.title)
  text(writer, 4, value.description)
  if (value.default !== undefined) anything(writer, 5, value.default)
  bounds(writer, value)
  texts(writer, 19, value.required)
  for (const each of (value.enum as unknown[] | undefined) ?? []) anything(writer, 20, each)
  const more = value.additionalProperties
  if (typeof more === 'object' && more)
    message(writer, 21, () => message(writer, 1, () => schema(writer, more as Json)))
  else if (more === true) message(writer, 21, () => flag(writer, 2, true))
  if (value.type) message(writer, 22, () => texts(writer, 1, [value.type].flat()))
  if (value.items) message(writer, 23, () => message(writer, 1, () => schema(writer, value.items as Json)))
  for (const each of (value.allOf as Json[] | undefined) ?? []) message(writer, 24, () => schema(writer, each))
  const properties = entries(value.properties)
  if (properties.length) {
    message(writer, 25, () => {
      for (const [name, property] of properties) named(writer, 1, name, () => schema(writer, property))
    })
  }
  const docs = value.externalDocs as Json | undefined
  if (docs)
    message(writer, 29, () => {
      text(writer, 1, docs.description)
      text(writer, 2, docs.url)
    })
  if (value.example !== undefined) anything(writer, 30, value.example)
  extensions(writer, 31, value)
}

function bodyParameter(writer: WireWriter, parameter: Json): void {
  text(writer, 2, parameter.name)
  text(writer, 3, parameter.in)
  flag(writer, 4, parameter.required)
  if (parameter.schema) message(writer, 5, () => schema(writer, parameter.schema as Json))
}

/** A parameter of the query; those of the path have other numbers behind the name. */
function plainParameter(writer: WireWriter, parameter: Json): void {
  const inPath = parameter.in === 'path'
  flag(writer, 1, parameter.required)
  text(writer, 2, parameter.in)
  text(writer, 4, parameter.name)
  text(writer, inPath ? 5 : 6, parameter.type)
  flag(writer, inPath ? 19 : 20, parameter.uniqueItems)
}

function parameters(writer: WireWriter, number: number, all: unknown): void {
  for (const parameter of (all as Json[] | undefined) ?? []) {
    message(writer, number, () =>
      message(writer, 1, () => {
        if (parameter.in === 'body') message(writer, 1, () => bodyParameter(writer, parameter))
        else
          message(writer, 2, () =>
            message(writer, parameter.in === 'path' ? 4 : 3, () => plainParameter(writer, parameter)),
          )
      }),
    )
  }
}

function response(writer: WireWriter, value: Json): void {
  message(writer, 1, () => {
    text(writer, 1, value.description)
    if (value.schema) message(writer, 2, () => message(writer, 1, () => schema(writer, value.schema as Json)))
  })
}

function operation(writer: WireWriter, value: Json): void {
  text(writer, 5, value.operationId)
  texts(writer, 6, value.produces)
  texts(writer, 7, value.consumes)
  parameters(writer, 8, value.parameters)
  message(writer, 9, () => {
    for (const [code, each] of entries(value.responses)) named(writer, 1, code, () => response(writer, each))
  })
  extensions(writer, 13, value)
}

const OPERATIONS: Readonly<Record<string, number>> = {
  get: 2,
  put: 3,
  post: 4,
  delete: 5,
  options: 6,
  head: 7,
  patch: 8,
}

function pathItem(writer: WireWriter, item: Json): void {
  for (const [method, number] of Object.entries(OPERATIONS))
    if (item[method]) message(writer, number, () => operation(writer, item[method] as Json))
  parameters(writer, 9, item.parameters)
}

/** Encodes the document that is served as JSON, too. */
export function encodeOpenApiV2(document: object): Buffer {
  const { swagger, info, paths, definitions } = document as Record<string, Json>
  const writer = new WireWriter()
  text(writer, 1, swagger)
  message(writer, 2, () => {
    text(writer, 1, info?.title)
    text(writer, 2, info?.version)
  })
  message(writer, 8, () => {
    for (const [path, item] of entries(paths)) named(writer, 2, path, () => pathItem(writer, item))
  })
  message(writer, 9, () => {
    for (const [name, definition] of entries(definitions)) named(writer, 1, name, () => schema(writer, definition))
  })
  return Buffer.from(writer.finish())
}
