import type { Schemas } from '../api/client'
import { day } from '../format'
import type { Dictionary } from '../i18n'
import type { Bar } from './Chart'

type Releve = Schemas['Releve']

/** Readings, in any order, as the bars of a chart: those that count, the oldest first. */
export function bars(releves: Releve[], t: Dictionary): Bar[] {
  return releves
    .filter((r) => !['REJETEE', 'REMPLACEE'].includes(r.etat) && r.source !== 'POSE')
    .sort((a, b) => a.date.localeCompare(b.date))
    .map((r) => ({
      label: day(r.date),
      litres: r.volume_litres,
      tone: r.etat === 'SUSPECTE' ? 'alert' : r.etat === 'ESTIMEE' ? 'soft' : undefined,
      note: r.etat === 'VALIDEE' ? t.word.source[r.source] : `${t.state.releve[r.etat]}, ${t.word.source[r.source].toLowerCase()}`,
    }))
}

/** What the tones of these bars mean. */
export const names = (t: Dictionary) => ({ plain: t.chart.measured, soft: t.chart.estimated, alert: t.chart.doubtful })

/** Litres over the twelve months before the last reading. */
export function lastYear(releves: Releve[]): number {
  const counted = releves.filter((r) => !['REJETEE', 'REMPLACEE', 'SUSPECTE'].includes(r.etat))
  const last = counted.reduce((max, r) => (r.date > max ? r.date : max), '')
  const since = `${Number(last.slice(0, 4)) - 1}${last.slice(4)}`
  return counted.filter((r) => r.date > since).reduce((sum, r) => sum + r.volume_litres, 0)
}
