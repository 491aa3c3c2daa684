import { lang } from './i18n'

// Money, volumes, dates and indexes as people read them: thin spaces between
// thousands in both languages, dd/mm/yyyy, units always named.

const locale = () => (lang() === 'en' ? 'en-GB' : 'fr-FR')
const formats = new Map<string, Intl.NumberFormat>()

function number(value: number, min: number, max: number): string {
  const key = `${locale()}/${min}/${max}`
  let format = formats.get(key)
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale(), { minimumFractionDigits: min, maximumFractionDigits: max })))
  return format.formatToParts(value).map((part) => (part.type === 'group' ? '\u202f' : part.type === 'minusSign' ? '\u2212' : part.value)).join('')
}

/** A whole number. */
export const integer = (value: number) => number(value, 0, 0)
/** Centimes as euros: 6120417 is "61 204,17 €". */
export const euros = (centimes: number) => `${number(centimes / 100, 2, 2)}\u00a0€`
/** A rate in micro-euros, with the decimals it has: 1182000 is "1,182 €". */
export const rate = (microEuros: number) => `${number(microEuros / 1e6, 2, 6)}\u00a0€`
/** Litres as cubic metres: 42500 is "42,5 m³". */
export const cubicMetres = (litres: number) => `${number(litres / 1000, 0, 3)}\u00a0m³`
/** Per mille as per cent: 55 is "5,5 %". */
export const percent = (perMille: number, digits = 1) => `${number(perMille / 10, 0, digits)}\u00a0%`

/** A civil day `YYYY-MM-DD` as dd/mm/yyyy. */
export const day = (date: string | undefined) => (date ? date.slice(0, 10).split('-').reverse().join('/') : '')
/** The last day of [from, to). */
export const dayBefore = (date: string) => day(new Date(Date.parse(`${date}T12:00:00Z`) - 864e5).toISOString())
/** An instant in Europe/Paris, to the minute. */
export const instant = (at: string) => new Intl.DateTimeFormat(locale(), { dateStyle: 'short', timeStyle: 'short', timeZone: 'Europe/Paris' }).format(new Date(at))
/** A month `YYYY-MM`, short: "avr. 26". */
export const month = (yearMonth: string) => new Intl.DateTimeFormat(locale(), { month: 'short', year: '2-digit', timeZone: 'UTC' }).format(new Date(`${yearMonth}-01T00:00:00Z`))
/** Today in Europe/Paris, `YYYY-MM-DD`. */
export const today = () => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris' }).format(new Date())
/** A day some days after another. */
export const addDays = (date: string, days: number) => new Date(Date.parse(`${date}T12:00:00Z`) + days * 864e5).toISOString().slice(0, 10)

/** How long ago, in words: "il y a 3 h". */
export function ago(at: string): string {
  const seconds = (Date.parse(at) - Date.now()) / 1000
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' })
  for (const [unit, size] of [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60]] as const) if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit)
  return format.format(Math.round(seconds), 'second')
}

/** A person or an organisation. */
export const fullName = (abonne: { nom: string; prenom?: string }) => [abonne.prenom, abonne.nom].filter(Boolean).join(' ')
/** An address on one line. */
export const address = (a: { voie: string; complement?: string; code_postal: string; commune: string }) => [a.voie, a.complement, `${a.code_postal} ${a.commune}`].filter(Boolean).join(', ')
