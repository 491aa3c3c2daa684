import { asProblem, problemOf } from './problem'
import { authorized } from './session'

export interface ServerEvent {
  event: string
  data: string
  id?: string
}

/** Cuts a stream of text into events, as the standard of EventSource says (fields event, data, id, retry). */
export function parser(emit: (event: ServerEvent) => void, onRetry?: (ms: number) => void) {
  let buffer = ''
  let event: ServerEvent = { event: 'message', data: '' }
  let hasData = false
  return (chunk: string) => {
    buffer += chunk
    // A lone \r at the end may be half of \r\n: wait for the rest.
    for (let m; (m = /\r\n|\n|\r(?!$)/.exec(buffer)); ) {
      const line = buffer.slice(0, m.index)
      buffer = buffer.slice(m.index + m[0].length)
      if (line === '') {
        if (hasData) emit(event)
        event = { event: 'message', data: '', id: event.id }
        hasData = false
        continue
      }
      const colon = line.indexOf(':')
      if (colon === 0) continue // a comment keeps the line open
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'event') event.event = value
      else if (field === 'id') event.id = value
      else if (field === 'retry' && /^\d+$/.test(value)) onRetry?.(Number(value))
      else if (field === 'data') {
        event.data += (hasData ? '\n' : '') + value
        hasData = true
      }
    }
  }
}

/**
 * Follows a stream until the signal aborts. EventSource cannot carry a bearer
 * token, so this reads the answer of fetch; it resumes after the last event
 * received when the stream ends, and waits longer after each failure in a row.
 */
export async function follow(path: string, onEvent: (event: ServerEvent) => void, signal: AbortSignal, onFailure?: () => void) {
  let last: string | undefined
  let pause = 1000
  for (let failures = 0; !signal.aborted; ) {
    try {
      const headers: HeadersInit = { Accept: 'text/event-stream', ...(last ? { 'Last-Event-ID': last } : {}) }
      const response = await authorized(new Request(`/api${path}`, { headers, signal }))
      if (response.status === 204) return // nothing is left to follow
      if (!response.ok || !response.body) throw await problemOf(response)
      const feed = parser(
        (event) => {
          failures = 0
          last = event.id ?? last
          onEvent(event)
        },
        (ms) => (pause = ms),
      )
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (let part; !(part = await reader.read()).done; ) feed(part.value)
    } catch (error) {
      if (signal.aborted) return
      const { status } = asProblem(error)
      if (status >= 400 && status < 500) return // refused: asking again would not help
      failures++
      onFailure?.()
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause * 2 ** failures, 30_000)))
  }
}
