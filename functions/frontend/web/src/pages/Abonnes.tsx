import { Button, CloseButton, Group, Text, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { Link as RouterLink, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, ok } from '../api/client'
import { usePages } from '../api/hooks'
import { can } from '../api/session'
import { fullName } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconSearch, IconUserPlus } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'

export default function Abonnes() {
  const t = useT()
  const navigate = useNavigate()
  const { q = '' } = useSearch({ strict: false }) as { q?: string }
  const [typed, setTyped] = useState(q)
  const filter = useDebouncedCallback((value: string) => void navigate({ to: '/abonnes', search: { q: value.trim() || undefined }, replace: true }), 250)
  const type = (value: string) => {
    setTyped(value)
    filter(value)
  }
  const pages = usePages(['abonnes', 'list', q], (curseur, signal) => ok(api.GET('/v1/abonnes', { params: { query: { q: q || undefined, curseur } }, signal })))
  return (
    <Page
      title={t.abonnes.title}
      actions={can('contrats:c') && <Button component={RouterLink} to="/souscription" leftSection={<IconUserPlus size={16} />}>{t.nav.subscribe}</Button>}
    >
      <Card flush>
        <Group p="md">
          <TextInput
            flex={1} maw={480} type="search" aria-label={t.abonnes.filter} placeholder={t.abonnes.filter} value={typed} onChange={(e) => type(e.currentTarget.value)}
            leftSection={<IconSearch size={16} aria-hidden />} rightSection={typed && <CloseButton size="sm" aria-label={t.cancel} onClick={() => type('')} />}
          />
        </Group>
        <DataTable
          label={t.abonnes.title}
          {...pages}
          id={(a) => a.id}
          to={(a) => `/abonnes/${a.id}`}
          columns={[
            { title: t.abonnes.name, head: true, cell: (a) => <Link to={`/abonnes/${a.id}`} fw={600} inherit>{fullName(a)}</Link> },
            { title: t.abonnes.street, cell: (a) => a.lieu ?? a.adresse.voie },
            { title: t.abonnes.place, wide: true, cell: (a) => a.pdl },
            { title: t.abonnes.contact, wide: true, cell: (a) => a.email ?? a.telephone ?? '' },
            { title: t.abonnes.contracts, num: true, cell: (a) => <Text span inherit c={a.actifs ? undefined : 'dimmed'}>{t.abonnes.ofActive(a.actifs, a.contrats)}</Text> },
          ]}
          empty={q ? <Empty icon={IconSearch} title={t.abonnes.empty}>{t.abonnes.emptyHint}</Empty> : <Empty title={t.abonnes.none} />}
        />
      </Card>
    </Page>
  )
}
