import { lang, t } from '../i18n'

interface Field {
  field: string
  code: string
  detail: string
  detail_en: string
}

/** A refusal of the API (RFC 9457), or status 0 when nothing answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: { path: string; message: string }[] = [],
    readonly traceID?: string,
  ) {
    super(message)
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  return problemFrom(response.status, await response.json().catch(() => ({})))
}

export function problemFrom(status: number, body: Record<string, unknown>): Problem {
  const say = (x: { detail?: string; detail_en?: string }) => (lang() === 'en' && x.detail_en ? x.detail_en : x.detail)
  const fields = ((body.errors as Field[] | undefined) ?? []).map((e) => ({ path: e.field ?? '', message: say(e) ?? '' }))
  return new Problem(status, String(body.code ?? ''), say(body) || t().error.unexpected(status), fields, body.trace_id as string | undefined)
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, 'reseau', t().error.network)
}
