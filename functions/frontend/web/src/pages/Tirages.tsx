import { Button, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { day, instant, integer, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { DocumentButton } from '../ui/DocumentButton'
import { Ask, DayInput, done, sentence } from '../ui/forms'
import { IconPrinter } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card } from '../ui/Page'
import { State } from '../ui/State'

type Tirage = Schemas['Tirage']

/** Letters for the post: what waits by kind, and what was printed together. */
export function Tirages() {
  const t = useT()
  const [making, make] = useState<Schemas['LettresEnAttente']>()
  const [posting, post] = useState<Tirage>()
  const pages = usePages(['tirages'], (curseur, signal) => ok(api.GET('/v1/tirages', { params: { query: { curseur } }, signal })))
  return (
    <Stack gap="lg">
      <Card title={t.tirages.waiting} hint={t.tirages.waitingHint} flush>
        <DataTable
          label={t.tirages.waiting}
          rows={pages.first && list(pages.first.attente)}
          error={pages.error}
          refetch={pages.refetch}
          id={(w) => w.modele}
          columns={[
            { title: t.tirages.kind, head: true, cell: (w) => t.tirages.kinds[w.modele] },
            { title: t.tirages.letters, num: true, cell: (w) => <>{integer(w.lettres)}{w.sans_adresse > 0 && <Text size="xs" c="dimmed">{t.tirages.noAddress(w.sans_adresse)}</Text>}</> },
            { title: t.tirages.since, num: true, wide: true, cell: (w) => instant(w.depuis) },
            { title: t.relances.act, cell: (w) => can('courrier:c') && w.lettres > w.sans_adresse && <Button size="compact-sm" aria-label={`${t.tirages.make}, ${t.tirages.kinds[w.modele]}`} onClick={() => make(w)}>{t.tirages.make}</Button> },
          ]}
          empty={<Empty icon={IconPrinter} title={t.tirages.nothing} />}
        />
      </Card>
      <Card title={t.tirages.runs} flush>
        <DataTable
          label={t.tirages.runs}
          {...pages}
          id={(r) => r.id}
          columns={[
            { title: t.tirages.made, head: true, cell: (r) => <>{instant(r.cree_a)}<Text size="xs" c="dimmed">{r.cree_nom}</Text></> },
            { title: t.tirages.kind, cell: (r) => t.tirages.kinds[r.modele] },
            { title: t.tirages.letters, num: true, cell: (r) => integer(r.lettres) },
            { title: t.abonne.state, cell: (r) => (r.poste_le ? <><State of="envoi" value="SENT" /><Text size="xs" c="dimmed">{t.tirages.postedOn(day(r.poste_le), r.poste_nom ?? '')}</Text></> : <State of="envoi" value="PRINTED" />) },
            {
              title: t.relances.act,
              cell: (r) => can('courrier:c') && (
                <Group gap="xs" wrap="nowrap">
                  <DocumentButton size="compact-sm" label={t.tirages.print} name={`${t.tirages.print}, ${instant(r.cree_a)}`} file={`lettres-${r.id.slice(-6)}.pdf`} icon={<IconPrinter size={16} />} read={() => ok(api.GET('/v1/tirages/{id}/pdf', { params: { path: { id: r.id } }, parseAs: 'blob' }))} />
                  {!r.poste_le && can('courrier:m') && <Button size="compact-sm" aria-label={`${t.tirages.post}, ${instant(r.cree_a)}`} onClick={() => post(r)}>{t.tirages.post}</Button>}
                </Group>
              ),
            },
          ]}
          empty={<Empty icon={IconPrinter} title={t.tirages.none} />}
        />
      </Card>
      {making && <MakeModal w={making} onClose={() => make(undefined)} />}
      {posting && <PostModal r={posting} onClose={() => post(undefined)} />}
    </Stack>
  )
}

function MakeModal({ w, onClose }: { w: Schemas['LettresEnAttente']; onClose: () => void }) {
  const t = useT()
  const command = useCommand((body: Schemas['PreparerTirage'], header) => ok(api.POST('/v1/tirages', { params: { header }, body })), (r) => (onClose(), done(t.tirages.ready(r.lettres))))
  return (
    <Ask title={`${t.tirages.make} : ${t.tirages.kinds[w.modele]}`} opened onClose={onClose} submit={t.tirages.make} busy={command.isPending} error={command.error?.message} onSubmit={() => command.mutate({ modele: w.modele })}>
      <Text size="sm">{t.tirages.makeText(Math.min(w.lettres - w.sans_adresse, 250))}</Text>
      {w.modele === 'FACTURE' && <Text size="sm" c="dimmed">{t.tirages.billsText}</Text>}
    </Ask>
  )
}

function PostModal({ r, onClose }: { r: Tirage; onClose: () => void }) {
  const t = useT()
  const [le, setLe] = useState(today())
  const command = useCommand((body: Schemas['PosterTirage'], header) => ok(api.POST('/v1/tirages/{id}/depot', { params: { path: { id: r.id }, header }, body })), () => (onClose(), done(t.tirages.posted)))
  return (
    <Ask title={t.tirages.post} opened onClose={onClose} submit={t.tirages.post} busy={command.isPending} error={command.error && sentence(command.error)} onSubmit={() => command.mutate({ le })}>
      <Text size="sm">{t.tirages.postText(r.lettres)}</Text>
      <DayInput label={t.date} withAsterisk value={le} maxDate={today()} onChange={(v) => v && setLe(v)} />
    </Ask>
  )
}
