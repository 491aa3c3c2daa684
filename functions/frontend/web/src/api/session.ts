import { useSyncExternalStore } from 'react'
import type { components } from './schema'
import { asProblem, problemOf } from './problem'

export type Utilisateur = components['schemas']['Utilisateur']

interface Session {
  token: string
  expires: number // ms since the epoch
  utilisateur: Utilisateur
}

// The session lives in this module's memory: the access token is never
// written anywhere a script could find it. The refresh token is in an
// HttpOnly cookie that only the server reads.
let current: Session | null = null
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()
// Whether this browser had a session, so that a visitor is not refused one for nothing.
const trace = 'aquaerp-session'
const tabs = new BroadcastChannel('aquaerp-session')
tabs.onmessage = () => set(null) // logged out in another tab

function set(next: Session | null) {
  current = next
  if (next) localStorage.setItem(trace, '')
  else localStorage.removeItem(trace)
  clearTimeout(timer)
  // Half a minute early; a sleeping tab that misses it renews on its next request.
  if (next) timer = setTimeout(() => void refresh(), Math.max(next.expires - Date.now() - 30_000, 5_000))
  listeners.forEach((notify) => notify())
}

async function open(path: string, init: RequestInit): Promise<Session> {
  const response = await fetch(`/api/v1/${path}`, { ...init, credentials: 'same-origin' })
  if (!response.ok) throw await problemOf(response)
  const body = await response.json()
  const next = { token: body.access_token, expires: Date.parse(body.expire_a), utilisateur: body.utilisateur }
  set(next)
  return next
}

const json = (body: unknown): RequestInit => ({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })

let refreshing: Promise<Session | null> | undefined

/**
 * Exchanges the cookie for a new session, or answers null when there is none.
 * A refresh token works once and a second use revokes its family, so the
 * tabs of a browser take turns.
 */
export function refresh(): Promise<Session | null> {
  return (refreshing ??= renew().finally(() => (refreshing = undefined)))
}

async function renew(): Promise<Session | null> {
  try {
    return await navigator.locks.request('aquaerp-refresh', async () => open('sessions/rafraichir', { method: 'POST' }))
  } catch (error) {
    const { status } = asProblem(error)
    if (status < 400 || status >= 500 || status === 429) throw error // the server is away or busy: no reason to log out
    set(null)
    return null
  }
}

/** Takes up the session that the browser had, if any. */
export const resume = async () => (localStorage.getItem(trace) === null ? null : refresh())

export const logIn = (identifiant: string, mot_de_passe: string) => open('sessions', json({ identifiant, mot_de_passe }))
export const acceptInvitation = (jeton: string, mot_de_passe: string) => open('invitations/acceptation', json({ jeton, mot_de_passe }))

export async function logOut() {
  await fetch('/api/v1/sessions', { method: 'DELETE', credentials: 'same-origin' }).catch(() => undefined)
  tabs.postMessage('out')
  set(null)
}

export const session = () => current

export function useSession(): Session | null {
  return useSyncExternalStore((notify) => (listeners.add(notify), () => listeners.delete(notify)), session)
}

/** fetch with the session's token; a token that has just ended is renewed once. */
export async function authorized(request: Request): Promise<Response> {
  const again = request.clone()
  const send = (r: Request, token: string) => {
    r.headers.set('Authorization', `Bearer ${token}`)
    return fetch(r)
  }
  const response = await send(request, current?.token ?? '')
  if (response.status !== 401) return response
  const renewed = await refresh()
  return renewed ? send(again, renewed.token) : response
}

/** Whether the user has a right, written as in the token: `lots:v`. */
export function can(right: string): boolean {
  const [page = '', action = ''] = right.split(':')
  return current?.utilisateur.droits?.[page]?.includes(action) ?? false
}
