import createClient from 'openapi-fetch'
import type { components, paths } from './schema'
import { problemFrom } from './problem'
import { authorized } from './session'

export type Schemas = components['schemas']

/** The gateway, typed by its OpenAPI document. */
export const api = createClient<paths>({ baseUrl: '/api', fetch: authorized })

/** The answer's body, or the refusal thrown as a Problem. */
export async function ok<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw problemFrom(response.status, (error ?? {}) as Record<string, unknown>)
  return data as T
}

/** A list of the API: null and absent are empty. */
export const list = <T>(items: T[] | null | undefined): T[] => items ?? []

