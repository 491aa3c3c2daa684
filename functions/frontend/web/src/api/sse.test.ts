import { expect, test } from 'vitest'
import { parser, type ServerEvent } from './sse'

const stream = 'retry: 2000\n\nevent: lot\nid: a1\ndata: {"n":1}\n\n: ping\n\ndata: deux\r\ndata: lignes\r\n\r\nevent: vide\n\ndata:sans espace\rid\r\rdata: inachevé'
const events: ServerEvent[] = [
  { event: 'lot', data: '{"n":1}', id: 'a1' },
  { event: 'message', data: 'deux\nlignes', id: 'a1' },
  { event: 'message', data: 'sans espace', id: '' },
]

// Wherever the network cuts the text, the events are the same.
test.each(Array.from({ length: stream.length }, (_, i) => i + 1))('in parts of %i characters', (size) => {
  const got: ServerEvent[] = []
  const retries: number[] = []
  const feed = parser((event) => got.push({ ...event }), (ms) => retries.push(ms))
  for (let i = 0; i < stream.length; i += size) feed(stream.slice(i, i + size))
  expect(got).toEqual(events)
  expect(retries).toEqual([2000])
})
