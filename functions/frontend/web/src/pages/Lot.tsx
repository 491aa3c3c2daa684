import { Alert, Button, Group, Progress, SimpleGrid, Stack, Table, Text, Textarea, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { lot as lotQuery } from '../api/queries'
import { can } from '../api/session'
import { follow } from '../api/sse'
import { cubicMetres, day, dayBefore, euros, instant, integer, percent } from '../format'
import { lang, useT } from '../i18n'
import { Bills } from '../ui/Bills'
import { Cahiers } from '../ui/Cahiers'
import { DataTable } from '../ui/DataTable'
import { Ask } from '../ui/forms'
import { IconAlertTriangle, IconBan, IconCircleCheck, IconSend } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Facts, Figure, Page, PageOf } from '../ui/Page'
import { State } from '../ui/State'
import { LotRapport } from './LotRapport'

type Lot = Schemas['Lot']
const working = (lot: Lot | undefined) => lot?.etat === 'PREPARE' || lot?.etat === 'EMISSION'

/** Keeps a lot current while it works: the stream says each change, and when it fails the lot is read instead. */
function useLot(id: string) {
  const query = useQuery(lotQuery(id))
  const client = useQueryClient()
  const busy = working(query.data)
  useEffect(() => {
    if (!busy) return
    const stop = new AbortController()
    const { queryKey } = lotQuery(id)
    void follow(
      `/v1/lots/${id}/suivi`,
      (event) => {
        if (event.event !== 'lot') return
        const next = JSON.parse(event.data) as Lot
        client.setQueryData(queryKey, next)
        if (!working(next)) void client.invalidateQueries()
      },
      stop.signal,
      () => void client.invalidateQueries({ queryKey, exact: true }),
    )
    return () => stop.abort()
  }, [id, busy, client])
  return query
}

export default function LotPage() {
  const t = useT()
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useLot(id)
  const [emitting, emit] = useDisclosure()
  const [approving, approve] = useDisclosure()
  const [rejecting, reject] = useDisclosure()
  return (
    <PageOf title={t.lots.title} query={query}>
      {(lot) => (
        <Page
          title={lot.libelle}
          trail={[[t.lots.title, '/lots']]}
          state={<State of="lot" value={lot.etat} />}
          subtitle={`${t.facture.period} ${day(lot.du)} – ${dayBefore(lot.au)} · ${t.lot.billing} ${day(lot.date_facturation)} · ${t.lots.due} ${day(lot.echeance)}${lot.emis_a ? ` · ${t.lot.emitted(instant(lot.emis_a))}` : ''}`}
          actions={
            ['PREPARE', 'CALCULE', 'CONTROLE'].includes(lot.etat) && can('lots:v') && (
              <>
                <Button variant="default" onClick={reject.open}>{lot.etat === 'PREPARE' ? t.lotSuite.stop : t.lot.reject}</Button>
                {lot.etat === 'CALCULE' && <Button leftSection={<IconCircleCheck size={16} />} disabled={lot.calculees === 0} onClick={approve.open}>{t.lotSuite.approve}</Button>}
                {lot.etat === 'CONTROLE' && <Button leftSection={<IconSend size={16} />} onClick={emit.open}>{t.lot.emit}</Button>}
              </>
            )
          }
        >
          <Stack gap="lg">
            {lot.etat === 'REJETE' && lot.motif && <Alert color="gray" icon={<IconBan size={18} aria-hidden />}>{t.lotSuite.rejected(lot.motif)}</Alert>}
            {working(lot) && <Working lot={lot} />}
            <Totals lot={lot} />
            {lot.etat !== 'PREPARE' && lot.etat !== 'REJETE' && <LotRapport lot={lot} />}
            {list(lot.erreurs).length > 0 && <Errors lot={lot} />}
            <LotBills lot={lot} />
            {lot.etat === 'EMIS' && can('factures:e') && <Cahiers id={lot.id} />}
          </Stack>
          <EmitModal lot={lot} opened={emitting} onClose={emit.close} />
          <ApproveModal lot={lot} opened={approving} onClose={approve.close} />
          <RejectModal lot={lot} opened={rejecting} onClose={reject.close} />
        </Page>
      )}
    </PageOf>
  )
}

function Working({ lot }: { lot: Lot }) {
  const t = useT()
  const preparing = lot.etat === 'PREPARE'
  const [done, all] = preparing ? [lot.calculees + lot.en_erreur, lot.contrats] : [lot.emises, lot.calculees]
  const left = useTimeLeft(done, all)
  const resume = useCommand((_: null, header) => ok(api.POST('/v1/lots/{id}/relance', { params: { path: { id: lot.id }, header } })))
  return (
    <Card>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h3">{preparing ? t.lot.computing : t.lot.issuing}</Title>
          <Text size="sm" c="dimmed" className="num" role="status">{all > 0 && (preparing ? t.lot.progress(done, all) : t.lotSuite.progress(done, all))}{left !== null && `, ${t.lot.left(t.duration(left))}`}</Text>
        </Group>
        <Progress.Root size="lg">
          <Progress.Section value={all ? Math.max(2, (done / all) * 100) : 2} animated aria-label={preparing ? t.lot.computing : t.lot.issuing} />
        </Progress.Root>
        {list(lot.blocages).map((b) => (
          <Alert key={b.de} color="rouge" icon={<IconAlertTriangle size={18} aria-hidden />} title={t.lotSuite.blocked(b.de, b.a)}>{b.motif}</Alert>
        ))}
        <Group justify="space-between">
          <Text size="sm" c="dimmed">{t.lot.leave}</Text>
          {can('lots:v') && <Button variant="subtle" size="compact-sm" loading={resume.isPending} onClick={() => resume.mutate(null)}>{t.lotSuite.resume}</Button>}
        </Group>
        {resume.error && <Text size="sm" c="red" role="alert">{resume.error.message}</Text>}
      </Stack>
    </Card>
  )
}

/** Seconds left at the pace seen since the page came up; null until there is a pace. */
function useTimeLeft(done: number, all: number): number | null {
  const start = useRef<{ at: number; done: number }>(null)
  const [left, setLeft] = useState<number | null>(null)
  useEffect(() => {
    start.current ??= { at: Date.now(), done }
    const made = done - start.current.done
    setLeft(made > 0 ? ((Date.now() - start.current.at) / 1000 / made) * (all - done) : null)
  }, [done, all])
  return left
}

const shades: Record<string, string> = { distribution: 'var(--mantine-color-eau-6)', eaux_usees: 'var(--mantine-color-vert-6)', organismes_publics: 'var(--mantine-color-ambre-5)' }

function Totals({ lot }: { lot: Lot }) {
  const t = useT()
  const rubriques = list(lot.rubriques)
  const sum = rubriques.reduce((total, r) => total + r.ht_centimes, 0)
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      <Card title={t.lot.totals}>
        <SimpleGrid cols={2} verticalSpacing="md">
          <Figure label={t.lot.ttc} value={euros(lot.ttc_centimes)} hint={`${t.lot.ht} ${euros(lot.ht_centimes)}, ${t.lot.tva} ${euros(lot.tva_centimes)}`} />
          <Figure label={t.lot.bills} value={integer(lot.calculees)} hint={lot.premier_numero && `${lot.premier_numero} – ${lot.dernier_numero}`} />
          <Figure label={t.lot.volume} value={cubicMetres(lot.volume_litres)} />
          <Figure label={t.lot.mean} value={lot.calculees ? euros(Math.round(lot.ttc_centimes / lot.calculees)) : '–'} />
        </SimpleGrid>
      </Card>
      <Card title={t.lot.rubriques}>
        {sum > 0 ? (
          <Stack gap="md">
            <div className="share" aria-hidden>{rubriques.map((r) => <span key={r.code} style={{ width: `${(r.ht_centimes / sum) * 100}%`, background: shades[r.code] }} />)}</div>
            <Table className="data-table" horizontalSpacing={0}>
              <Table.Tbody>
                {rubriques.map((r) => (
                  <Table.Tr key={r.code}>
                    <Table.Th scope="row"><Group gap={8} wrap="nowrap"><span aria-hidden style={{ width: 10, height: 10, flex: 'none', borderRadius: 3, background: shades[r.code] }} /><Text span size="sm">{t.word.rubrique[r.code]}</Text></Group></Table.Th>
                    <Table.Td className="num">{euros(r.ht_centimes)}</Table.Td>
                    <Table.Td className="num soft">{percent(Math.round((r.ht_centimes / sum) * 1000))}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Stack>
        ) : (
          <Text size="sm" c="dimmed">{t.lot.noBills}</Text>
        )}
      </Card>
    </SimpleGrid>
  )
}

function Errors({ lot }: { lot: Lot }) {
  const t = useT()
  return (
    <Card title={t.lot.errors(lot.en_erreur)} flush>
      <Text size="sm" c="dimmed" px="lg" pb="xs">{t.lot.errorsHint}</Text>
      <DataTable
        label={t.lot.errors(lot.en_erreur)}
        rows={list(lot.erreurs)}
        id={(e) => e.contrat_id}
        columns={[
          { title: t.lot.contract, head: true, cell: (e) => <span className="id">{e.numero}</span> },
          { title: t.lot.reason, cell: (e) => (lang() === 'en' ? e.detail_en : e.detail) },
        ]}
        empty={null}
      />
    </Card>
  )
}

function LotBills({ lot }: { lot: Lot }) {
  const t = useT()
  const pages = usePages(['lots', lot.id, 'factures', lot.etat], (curseur, signal) => ok(api.GET('/v1/lots/{id}/factures', { params: { path: { id: lot.id }, query: { curseur } }, signal })), { enabled: lot.etat !== 'PREPARE' })
  if (lot.etat === 'PREPARE' || lot.etat === 'REJETE') return null
  return <Card title={t.lot.bills} flush><Bills withClient pages={pages} label={t.lot.bills} empty={<Empty title={t.lot.noBills} />} /></Card>
}

interface ActProps {
  lot: Lot
  opened: boolean
  onClose: () => void
}

/** What emission does, in words and figures, before it is done. */
function EmitModal({ lot, opened, onClose }: ActProps) {
  const t = useT()
  const command = useCommand((_: null, header) => ok(api.POST('/v1/lots/{id}/emission', { params: { path: { id: lot.id }, header } })), onClose)
  return (
    <Ask title={t.lot.emitTitle} size="lg" opened={opened} onClose={onClose} onSubmit={() => command.mutate(null)} submit={t.lot.emitSubmit(lot.calculees)} busy={command.isPending} error={command.error?.message}>
      <div>
        <Text size="sm" c="dimmed">{t.lot.emitLead}</Text>
        <Text fz={22} fw={660} className="num" style={{ whiteSpace: 'normal' }}>{t.lot.emitFigures(lot.calculees, euros(lot.ttc_centimes))}</Text>
        {lot.premier_numero && lot.dernier_numero && <Text>{t.lot.emitNumbers(lot.premier_numero, lot.dernier_numero)}</Text>}
      </div>
      <Facts items={[[t.lot.ht, euros(lot.ht_centimes)], [t.lot.tva, euros(lot.tva_centimes)], [t.lot.volume, cubicMetres(lot.volume_litres)]]} />
      {lot.en_erreur > 0 && <Alert color="ambre" icon={<IconAlertTriangle size={18} aria-hidden />}>{t.lot.emitSkipped(lot.en_erreur)}</Alert>}
      <Text size="sm">{t.lot.emitThen(day(lot.echeance))}</Text>
    </Ask>
  )
}

/** A second person says that the report was read; the server refuses whoever prepared the run. */
function ApproveModal({ lot, opened, onClose }: ActProps) {
  const t = useT()
  const command = useCommand((_: null, header) => ok(api.POST('/v1/lots/{id}/controle', { params: { path: { id: lot.id }, header } })), onClose)
  return (
    <Ask title={t.lotSuite.approveTitle} size="lg" opened={opened} onClose={onClose} onSubmit={() => command.mutate(null)} submit={t.lotSuite.approveSubmit} busy={command.isPending} error={command.error?.message}>
      <Text fz={22} fw={660} className="num" style={{ whiteSpace: 'normal' }}>{t.lot.emitFigures(lot.calculees, euros(lot.ttc_centimes))}</Text>
      <Text size="sm">{t.lotSuite.approveText(lot.cree_par_nom || '–')}</Text>
    </Ask>
  )
}

function RejectModal({ lot, opened, onClose }: ActProps) {
  const t = useT()
  const [motif, setMotif] = useState('')
  const command = useCommand((body: Schemas['RejeterLot'], header) => ok(api.POST('/v1/lots/{id}/rejet', { params: { path: { id: lot.id }, header }, body })), onClose)
  return (
    <Ask title={lot.etat === 'PREPARE' ? t.lotSuite.stopTitle : t.lot.rejectTitle} danger opened={opened} onClose={onClose} onSubmit={() => command.mutate({ motif: motif.trim() })} submit={lot.etat === 'PREPARE' ? t.lotSuite.stopTitle : t.lot.rejectSubmit} busy={command.isPending} disabled={!motif.trim()} error={command.error?.message}>
      <Text size="sm">{t.lot.rejectText(lot.calculees)}</Text>
      <Textarea label={t.lot.motif} withAsterisk autosize minRows={2} maxLength={400} data-autofocus value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />
    </Ask>
  )
}
