import { Alert, Button, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { ago, day, euros, instant, integer } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, done } from '../ui/forms'
import { IconSend } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Facts, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { StateFilter } from '../ui/StateFilter'

type Depot = Schemas['Depot']
const states = ['A_DEPOSER', 'TRANSMISE', 'DEPOSEE', 'RECUE', 'APPROUVEE', 'REFUSEE', 'REJETEE', 'ENCAISSEE'] as const

/** Bills of organisations on their way through the platform of electronic invoices. */
export default function Depots() {
  const t = useT()
  const etat = states.find((s) => s === (useSearch({ strict: false }) as { etat?: string }).etat)
  const pages = usePages(['depots', etat], (curseur, signal) => ok(api.GET('/v1/depots', { params: { query: { etat, curseur } }, signal })), { refetchInterval: 10_000 })
  const counts = Object.fromEntries(list(pages.first?.etats).map((e) => [e.etat, e.nombre]))
  const [seen, see] = useState<Depot>()
  return (
    <Page
      title={t.depots.title}
      subtitle={t.depots.hint}
      actions={<StateFilter of="depot" states={[...states]} value={etat} extra={Object.fromEntries(states.map((s) => [s, `${t.state.depot[s]}${counts[s] ? ` (${integer(counts[s])})` : ''}`]))} />}
    >
      <Stack gap="lg">
        {can('reglages:l') && <Platform />}
        <Card flush>
          <DataTable
            label={t.depots.title}
            {...pages}
            id={(d) => d.facture_id}
            columns={[
              { title: t.depots.bill, head: true, cell: (d) => <Link to={`/factures/${d.facture_id}`} inherit fw={600} className="id">{d.numero}</Link> },
              { title: t.depots.customer, cell: (d) => <>{d.nom}<div className="soft">SIREN {d.siren}</div></> },
              { title: t.depots.amount, num: true, wide: true, cell: (d) => euros(d.ttc_centimes) },
              { title: t.abonne.state, cell: (d) => <State of="depot" value={d.etat} /> },
              { title: t.depots.reason, wide: true, cell: (d) => d.motif ?? '–' },
              { title: t.depots.since, wide: true, cell: (d) => <span title={instant(d.le)}>{ago(d.le)}</span> },
              { title: t.depots.follow, cell: (d) => <Button size="compact-sm" variant="default" onClick={() => see(d)}>{t.depots.follow}</Button> },
            ]}
            empty={<Empty icon={IconSend} title={t.depots.empty}>{t.depots.emptyHint}</Empty>}
          />
        </Card>
      </Stack>
      {seen && <Follow depot={seen} onClose={() => see(undefined)} />}
    </Page>
  )
}

/** Says when nothing can go out, and from when the law wants it. */
function Platform() {
  const t = useT()
  const { data } = useQuery({ queryKey: ['reglages'], queryFn: ({ signal }) => ok(api.GET('/v1/reglages', { signal })) })
  if (!data || data.plateforme.raccordee) return null
  const due = list(data.obligations).find((o) => o.code === 'EMISSION' && o.taille === data.plateforme.taille)
  return <Alert color="ambre" title={t.depots.unplugged}>{due && t.depots.due(day(due.du), due.source)}</Alert>
}

/** What the platform said of a document; one that did not go through is sent again. */
function Follow({ depot, onClose }: { depot: Depot; onClose: () => void }) {
  const t = useT()
  const again = useCommand(
    (_: null, header) => ok(api.POST('/v1/depots/{id}/relance', { params: { path: { id: depot.facture_id }, header } })),
    (d) => {
      done(t.depots.sent(d.numero))
      onClose()
    },
  )
  const may = can('factures:m') && (depot.etat === 'REJETEE' || depot.etat === 'A_DEPOSER')
  return (
    <Ask
      title={`${t.depots.bill} ${depot.numero}`} opened onClose={onClose} size="lg" busy={again.isPending} error={again.error?.message} disabled={!may}
      submit={t.depots.again} onSubmit={() => again.mutate(null)}
    >
      <Facts
        items={[
          [t.abonne.state, <State key="s" of="depot" value={depot.etat} />],
          [t.depots.customer, `${depot.nom}, SIREN ${depot.siren}`],
          depot.reference && [t.depots.reference, depot.reference],
          depot.motif && [t.depots.reason, depot.motif],
          [t.depots.attempts, integer(depot.essais)],
          depot.prochain_a && [t.depots.next, instant(depot.prochain_a)],
          depot.relance && [t.depots.resent, `${instant(depot.relance.instant)}, ${depot.relance.par}${depot.relance.motif ? ` (${depot.relance.motif})` : ''}`],
          ...list(depot.statuts).map((s): [string, string] => [instant(s.le), [t.state.depot[s.etat as keyof typeof t.state.depot] ?? s.etat, s.motif].filter(Boolean).join(' : ')]),
        ]}
      />
      <Text size="sm" c="dimmed">{may ? t.depots.consequence : t.depots.through}</Text>
    </Ask>
  )
}
