import { SegmentedControl, Select } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useT, type Dictionary } from '../i18n'

interface Props<K extends keyof Dictionary['state']> {
  of: K
  states: string[]
  value: string | undefined
  /** States that are not one of the domain's, with their word. */
  extra?: Record<string, string>
}

/** Filters a list by state; the filter is in the address. */
export function StateFilter<K extends keyof Dictionary['state']>({ of, states, value, extra }: Props<K>) {
  const t = useT()
  const navigate = useNavigate()
  const words = { ...(t.state[of] as Record<string, string>), ...extra }
  const data = [{ value: '', label: t.all }, ...states.map((state) => ({ value: state, label: words[state] ?? state }))]
  const choose = (next: string | null) => void navigate({ to: '.', search: { etat: next || undefined }, replace: true })
  return (
    <>
      <SegmentedControl visibleFrom="md" aria-label={t.abonne.state} data={data} value={value ?? ''} onChange={choose} />
      <Select hiddenFrom="md" aria-label={t.abonne.state} data={data} value={value ?? ''} onChange={choose} allowDeselect={false} />
    </>
  )
}
