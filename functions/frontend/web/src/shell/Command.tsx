import { useDebouncedValue } from '@mantine/hooks'
import { Spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok } from '../api/client'
import { can } from '../api/session'
import { fullName } from '../format'
import { useT } from '../i18n'
import { IconSearch, IconStack2, IconUser, IconUserPlus, type Icon } from '../ui/icons'
import type { Entry } from './nav'

const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

/** Ctrl-K: every page, the frequent actions, and every abonne, in one box. */
export function Command({ links }: { links: Entry[] }) {
  const t = useT()
  const navigate = useNavigate()
  const [query, setQuery] = useState('')
  const [settled] = useDebouncedValue(query.trim(), 200)
  const abonnes = useQuery({
    queryKey: ['abonnes', 'command', settled],
    queryFn: ({ signal }) => ok(api.GET('/v1/abonnes', { params: { query: { q: settled, limite: 6 } }, signal })),
    enabled: settled.length >= 2,
  })
  const actions: Entry[] = [
    ...(can('contrats:c') ? [{ to: '/souscription', label: t.nav.subscribe, icon: IconUserPlus }] : []),
    ...(can('lots:c') ? [{ to: '/lots', label: t.lots.prepare, icon: IconStack2 }] : []),
  ]
  const match = (entry: Entry) => plain(entry.label).includes(plain(query.trim()))
  const item = (key: string, to: string, label: string, Shape: Icon, description?: string) => (
    <Spotlight.Action key={key} label={label} description={description} leftSection={<Shape size={18} stroke={1.6} aria-hidden />} onClick={() => void navigate({ to })} />
  )
  const found = settled.length >= 2 ? list(abonnes.data?.items) : []
  const pages = links.filter((entry) => entry.to !== '/souscription').filter(match)
  const some = actions.filter(match)
  return (
    <Spotlight.Root query={query} onQueryChange={setQuery} shortcut={['mod + K', '/']} scrollable maxHeight={440} clearQueryOnClose radius="lg" onSpotlightClose={() => setQuery('')} attributes={{ content: { 'aria-label': t.app.command } }}>
      <Spotlight.Search placeholder={t.app.command} aria-label={t.app.command} leftSection={<IconSearch size={18} aria-hidden />} />
      <Spotlight.ActionsList>
        {found.length > 0 && <Spotlight.ActionsGroup label={t.app.abonnes}>{found.map((a) => item(a.id, `/abonnes/${a.id}`, fullName(a), IconUser, [a.pdl, a.lieu].filter(Boolean).join(' · ')))}</Spotlight.ActionsGroup>}
        {some.length > 0 && <Spotlight.ActionsGroup label={t.app.actions}>{some.map((a) => item(`action-${a.to}`, a.to, a.label, a.icon))}</Spotlight.ActionsGroup>}
        {pages.length > 0 && <Spotlight.ActionsGroup label={t.app.goTo}>{pages.map((a) => item(a.to, a.to, a.label, a.icon))}</Spotlight.ActionsGroup>}
        {found.length + some.length + pages.length === 0 && <Spotlight.Empty>{abonnes.isFetching ? t.loading : t.app.nothing}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}

