import { Alert, Button, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { day, euros, instant, integer } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, done } from '../ui/forms'
import { IconBuildingBank, IconUpload } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Figure, Link, Page } from '../ui/Page'
import { State } from '../ui/State'

type Operation = Schemas['OperationBancaire']

/** What the bank sent, and what became of each movement. */
export default function Banque() {
  const t = useT()
  const { fichier } = useSearch({ strict: false }) as { fichier?: string }
  const pages = usePages(['fichiers'], (curseur, signal) => ok(api.GET('/v1/banque/fichiers', { params: { query: { curseur } }, signal })))
  return (
    <Page title={t.banque.title}>
      <Stack gap="lg">
        {can('paiements:c') && <Import />}
        {fichier && <Report id={fichier} />}
        <Waiting />
        <Card title={t.banque.past} flush>
          <DataTable
            label={t.banque.past}
            {...pages}
            id={(f) => f.id}
            to={(f) => `/banque?fichier=${f.id}`}
            columns={[
              { title: t.banque.file, head: true, cell: (f) => <Link to={`/banque?fichier=${f.id}`} inherit fw={600}>{f.nom}</Link> },
              { title: t.banque.when, wide: true, cell: (f) => instant(f.importe_a) },
              { title: t.banque.operations, num: true, cell: (f) => integer(f.operations) },
              { title: t.banque.collected, num: true, wide: true, cell: (f) => integer(f.encaissees) },
              { title: t.banque.rejects, num: true, wide: true, cell: (f) => integer(f.rejets) },
              { title: t.banque.waiting, num: true, cell: (f) => integer(f.a_affecter) },
              { title: t.banque.refused, num: true, cell: (f) => integer(f.refusees) },
            ]}
            empty={<Empty icon={IconBuildingBank} title={t.banque.empty}>{t.banque.emptyHint}</Empty>}
          />
        </Card>
      </Stack>
    </Page>
  )
}

function Import() {
  const t = useT()
  const navigate = useNavigate()
  const [over, setOver] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const command = useCommand(
    ({ nom, xml }: { nom: string; xml: string }, header) =>
      ok(api.POST('/v1/banque/fichiers', { params: { header, query: { nom } }, body: xml, bodySerializer: (text: string) => text, headers: { 'Content-Type': 'application/xml' } })),
    (f) => {
      done(t.banque.ok(f.operations))
      void navigate({ to: '/banque', search: { fichier: f.id } })
    },
  )
  const take = async (chosen: File | undefined) => {
    if (!chosen) return
    if (!/\.(xml|txt|c53|c54)$/i.test(chosen.name)) return setFault(t.banque.notXML)
    setFault(null)
    command.mutate({ nom: chosen.name, xml: await chosen.text() }, { onError: (problem) => setFault(problem.message) })
  }
  return (
    <Card title={t.banque.import}>
      <Stack gap="md">
        <div className="drop" data-over={over || undefined} onDragOver={(e) => (e.preventDefault(), setOver(true))} onDragLeave={() => setOver(false)} onDrop={(e) => (e.preventDefault(), setOver(false), void take(e.dataTransfer.files[0]))}>
          <IconUpload size={28} stroke={1.5} aria-hidden className="soft" />
          <Text>{t.banque.drop}</Text>
          <Button variant="default" size="xs" loading={command.isPending} onClick={() => input.current?.click()}>{t.banque.choose}</Button>
          <input ref={input} type="file" accept=".xml,.txt,.c53,.c54,application/xml,text/xml" hidden aria-label={t.banque.choose} onChange={(e) => (void take(e.currentTarget.files?.[0]), (e.currentTarget.value = ''))} />
        </div>
        {command.isPending && <Text size="sm" c="dimmed" role="status">{t.banque.working}</Text>}
        {fault && <Alert color="rouge" role="alert">{fault}</Alert>}
      </Stack>
    </Card>
  )
}

/** The report of a file: it is read again until every movement is recorded. */
function Report({ id }: { id: string }) {
  const t = useT()
  const query = useQuery({ queryKey: ['fichiers', id], queryFn: ({ signal }) => ok(api.GET('/v1/banque/fichiers/{id}', { params: { path: { id } }, signal })), refetchInterval: ({ state }) => (state.data?.en_cours ? 1000 : false) })
  const busy = (query.data?.en_cours ?? 0) > 0
  const pages = usePages(['fichiers', id, 'operations'], (curseur, signal) => ok(api.GET('/v1/banque/operations', { params: { query: { fichier_id: id, curseur } }, signal })), { refetchInterval: busy ? 1000 : undefined })
  const f = query.data
  if (!f) return null
  return (
    <Card title={t.banque.report(f.nom)} hint={`${f.nature} · ${f.message}`} flush>
      <Stack gap="md" role="status" px="lg" pb="md">
        <SimpleGrid cols={{ base: 2, sm: 5 }}>
          <Figure label={t.banque.collected} value={integer(f.encaissees)} />
          <Figure label={t.banque.rejects} value={integer(f.rejets)} />
          <Figure label={t.banque.waiting} value={integer(f.a_affecter)} />
          <Figure label={t.banque.refused} value={integer(f.refusees)} />
          <Figure label={t.banque.others} value={integer(f.ignorees + f.doublons)} />
        </SimpleGrid>
        {busy && <Text size="sm" c="dimmed">{t.banque.progress(f.en_cours)}</Text>}
      </Stack>
      <Movements label={t.banque.report(f.nom)} pages={pages} />
    </Card>
  )
}

function Movements({ label, pages, action }: { label: string; pages: Pick<Parameters<typeof DataTable<Operation>>[0], 'rows' | 'error' | 'refetch' | 'hasNextPage' | 'fetchNextPage' | 'isFetchingNextPage'>; action?: (o: Operation) => void }) {
  const t = useT()
  return (
    <DataTable
      label={label}
      {...pages}
      id={(o) => o.id}
      columns={[
        { title: t.banque.line, num: true, head: true, cell: (o) => integer(o.ligne) },
        { title: t.banque.date, wide: true, cell: (o) => day(o.date) },
        { title: t.banque.amount, num: true, cell: (o) => euros(o.credit ? o.montant_centimes : -o.montant_centimes) },
        { title: t.banque.label, wide: true, cell: (o) => [o.nom, o.libelle, o.reference].filter(Boolean).join(' · ') },
        { title: t.banque.outcome, cell: (o) => <State of="operation" value={o.etat} /> },
        { title: t.banque.detail, cell: (o) => (action ? <Button size="compact-sm" variant="light" onClick={() => action(o)}>{t.banque.assign}</Button> : <span lang="fr">{o.detail}</span>) },
      ]}
      empty={null}
    />
  )
}

/** Credits of all files whose payer gave no reference that is known. */
function Waiting() {
  const t = useT()
  const [chosen, choose] = useState<Operation | null>(null)
  const pages = usePages(['operations', 'A_AFFECTER'], (curseur, signal) => ok(api.GET('/v1/banque/operations', { params: { query: { etat: 'A_AFFECTER', curseur } }, signal })))
  if (list(pages.rows).length === 0) return null
  return (
    <Card title={t.banque.waitingTitle} flush>
      <Movements label={t.banque.waitingTitle} pages={pages} action={can('paiements:c') ? choose : undefined} />
      {chosen && <Assign operation={chosen} onClose={() => choose(null)} />}
    </Card>
  )
}

function Assign({ operation: o, onClose }: { operation: Operation; onClose: () => void }) {
  const t = useT()
  const [reference, setReference] = useState('')
  const [error, setError] = useState<string | null>(null)
  const command = useCommand(
    (body: { reference: string }, header) => ok(api.POST('/v1/banque/operations/{id}/affectation', { params: { header, path: { id: o.id } }, body })),
    () => (onClose(), done(t.banque.assigned)),
  )
  return (
    <Ask title={t.banque.assign} opened onClose={onClose} submit={t.banque.assign} busy={command.isPending} error={error} disabled={!reference.trim()} onSubmit={() => command.mutate({ reference: reference.trim() }, { onError: (problem) => setError(problem.message) })}>
      <Text size="sm">{t.banque.assignText(euros(o.montant_centimes), o.nom || t.banque.unknown)}</Text>
      {o.libelle && <Text size="sm" c="dimmed">{o.libelle}</Text>}
      <TextInput label={t.banque.assignReference} data-autofocus maxLength={80} value={reference} onChange={(e) => setReference(e.currentTarget.value)} />
    </Ask>
  )
}
