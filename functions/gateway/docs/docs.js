// Renders openapi.json as a searchable list of operations. No dependency, no
// request to anywhere else, no HTML from strings: everything is a text node.
'use strict'

let api

function el(tag, attributes, ...children) {
  const e = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes ?? {})) e.setAttribute(name, value)
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ''))
  return e
}

const schemaName = (schema) => schema.$ref?.split('/').pop()
const resolve = (schema) => (schema.$ref ? api.components.schemas[schemaName(schema)] : schema)

// A type in a few words: `Lot[]`, `string (date)`, `EAU | ASSAINISSEMENT`.
function typeOf(schema) {
  if (schema.$ref) return schemaName(schema)
  if (schema.type === 'array') return `${typeOf(schema.items)}[]`
  if (schema.enum) return schema.enum.join(' | ')
  if (schema.type === 'object' && schema.additionalProperties?.type) return `{ [key]: ${typeOf(schema.additionalProperties)} }`
  return schema.format && schema.format !== 'int64' ? `${schema.type} (${schema.format})` : `${schema.type ?? 'any'}`
}

function limits(schema) {
  const s = schema.type === 'array' ? schema.items : schema
  return [
    s.minimum !== undefined && `≥ ${s.minimum}`,
    s.maximum !== undefined && `≤ ${s.maximum}`,
    s.minLength !== undefined && `at least ${s.minLength} characters`,
    s.maxLength !== undefined && `at most ${s.maxLength} characters`,
    s.pattern && `matches ${s.pattern}`,
  ].filter(Boolean).join(', ')
}

const row = (depth, name, required, schema, description) =>
  el('tr', { class: `d${Math.min(depth, 4)}` },
    el('td', {}, el('code', {}, name), required ? el('span', { title: 'required' }, ' *') : ''),
    el('td', {}, el('code', {}, typeOf(schema))),
    el('td', { class: 'dim' }, [description ?? schema.description, limits(schema)].filter(Boolean).join(' · ')))

// The fields of a schema, nested ones below their parent; a type inside itself is named only.
function fields(schema, depth = 0, inside = []) {
  const s = resolve(schema.type === 'array' ? schema.items : schema)
  const name = schemaName(schema.type === 'array' ? schema.items : schema)
  if (!s?.properties || inside.includes(name)) return []
  return Object.entries(s.properties).flatMap(([field, p]) => [
    row(depth, field, s.required?.includes(field), p),
    ...fields(p, depth + 1, [...inside, name]),
  ])
}

function body(title, content) {
  return Object.entries(content ?? {}).flatMap(([type, { schema }]) => [
    el('h3', {}, title),
    el('p', {}, el('code', {}, type), ' ', el('code', {}, typeOf(schema)), schema.description ? ` ${schema.description}` : ''),
    ...(fields(schema).length ? [el('table', {}, ...fields(schema))] : []),
  ])
}

function operation(method, path, op) {
  const details = el('details', { id: op.operationId },
    el('summary', {}, el('span', { class: `method ${method}` }, method), el('span', { class: 'path' }, path), el('span', { class: 'dim' }, op.summary)))
  // Filled when it is opened: a page of closed operations stays light.
  details.addEventListener('toggle', () => {
    if (details.childElementCount > 1) return
    details.append(el('div', {},
      op.description ? el('p', {}, op.description) : '',
      el('p', { class: 'dim' }, `operationId ${op.operationId}`, op.security?.length === 0 ? ' · needs no token' : ' · needs a token'),
      ...(op.parameters?.length ? [el('h3', {}, 'Parameters'), el('table', {}, ...op.parameters.map((p) => row(0, `${p.name} (${p.in})`, p.required, p.schema, p.description)))] : []),
      ...body('Body', op.requestBody?.content),
      ...Object.entries(op.responses).flatMap(([status, r]) =>
        r.content ? body(status === 'default' ? 'Refusal' : `Answer ${status}`, r.content) : [el('h3', {}, `Answer ${status}`), el('p', {}, r.description)])))
  })
  return details
}

function render(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const main = document.getElementById('main')
  main.replaceChildren(el('p', {}, api.info.description))
  for (const tag of api.tags) {
    const found = Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, op]) => op.tags.includes(tag.name))
        .filter(([method, op]) => {
          const text = [method, path, op.operationId, op.summary, tag.name, ...(op.parameters ?? []).map((p) => p.name)].join(' ').toLowerCase()
          return words.every((w) => text.includes(w))
        })
        .map(([method, op]) => operation(method.toUpperCase(), path, op)))
    if (found.length) main.append(el('h2', { id: `tag-${tag.name}` }, tag.name), el('p', { class: 'dim' }, tag.description), ...found)
  }
  if (main.childElementCount === 1) main.append(el('p', {}, 'Nothing found.'))
}

async function start() {
  const answer = await fetch('openapi.json')
  if (!answer.ok) throw new Error(`openapi.json: ${answer.status}`)
  api = await answer.json()
  document.getElementById('tags').append(...api.tags.map((t) => el('a', { href: `#tag-${t.name}` }, t.name)))
  const search = document.getElementById('q')
  search.addEventListener('input', () => render(search.value))
  render('')
  const target = document.getElementById(location.hash.slice(1))
  if (target) {
    if (target.tagName === 'DETAILS') target.open = true
    target.scrollIntoView()
  }
}

start().catch((error) => document.getElementById('main').replaceChildren(el('p', {}, `The documentation could not be read: ${error.message}`)))
