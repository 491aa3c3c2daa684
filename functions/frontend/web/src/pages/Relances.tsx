import { Alert, Button, Group, Paper, Select, SimpleGrid, Stack, Tabs, Text, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages, type Command } from '../api/hooks'
import { asProblem } from '../api/problem'
import { can } from '../api/session'
import { addDays, day, euros, integer, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, DayInput, done, failed, sentence } from '../ui/forms'
import { IconCircleCheck, IconScale } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { Penalites } from './Penalites'

type Dossier = Schemas['DossierRelance']
const tabs = ['file', 'contentieux', 'nonValeurs', 'regles'] as const

/** Unpaid bills: what time does, and what waits for a person. */
export default function Relances() {
  const t = useT()
  const navigate = useNavigate()
  const { onglet } = useSearch({ strict: false }) as { onglet?: string }
  const tab = tabs.find((x) => x === onglet) ?? 'file'
  return (
    <Page title={t.relances.title} subtitle={t.relances.law}>
      <Tabs value={tab} onChange={(v) => void navigate({ to: '.', search: { onglet: v === 'file' ? undefined : (v ?? undefined) }, replace: true })} keepMounted={false}>
        <Tabs.List mb="lg">{tabs.map((x) => <Tabs.Tab key={x} value={x}>{t.relances.tabs[x]}</Tabs.Tab>)}</Tabs.List>
        <Tabs.Panel value="file"><Queue /></Tabs.Panel>
        <Tabs.Panel value="contentieux"><Litigation /></Tabs.Panel>
        <Tabs.Panel value="nonValeurs"><GivenUp /></Tabs.Panel>
        <Tabs.Panel value="regles"><Rules /></Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Queue() {
  const t = useT()
  const [filter, setFilter] = useState<{ etat?: Dossier['etat']; niveau?: number }>({})
  const [holding, hold] = useState<Dossier>()
  const niveau = filter.niveau === undefined ? undefined : (String(filter.niveau) as '0')
  const pages = usePages(['relances', filter], (curseur, signal) => ok(api.GET('/v1/relances', { params: { query: { etat: filter.etat, niveau, curseur } }, signal })))
  const sums = list(pages.first?.sommes)
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} role="group" aria-label={t.relances.byLevel}>
        {sums.map((s) => {
          const on = filter.etat === s.etat && filter.niveau === s.niveau
          return (
            <Paper key={s.etat + s.niveau} component="button" type="button" className="card" p="md" ta="left" aria-pressed={on} onClick={() => setFilter(on ? {} : { etat: s.etat, niveau: s.niveau })} style={{ cursor: 'pointer' }}>
              <State of="dossier" value={s.etat} />
              <Text size="sm" c="dimmed">{t.relances.level(s.niveau)}</Text>
              <div className="figure-value num">{euros(s.reste_centimes)}</div>
              <Text size="xs" c="dimmed">{t.relances.files(s.dossiers)}</Text>
            </Paper>
          )
        })}
      </SimpleGrid>
      <Card flush>
        <DataTable
          label={t.relances.tabs.file}
          {...pages}
          id={(d) => d.id}
          columns={[
            { title: t.relances.bill, head: true, cell: (d) => <Link to={`/factures/${d.facture_id}`} inherit fw={600}>{d.numero}</Link> },
            { title: t.abonnes.name, cell: (d) => <Link to={`/abonnes/${d.abonne_id}`} inherit>{d.nom}</Link> },
            { title: t.abonne.state, cell: (d) => <><State of="dossier" value={d.etat} /><Text size="xs" c="dimmed">{d.suspension ? t.relances.heldUntil(t.relances.reasons[d.suspension], day(d.suspendu_jusqua)) : t.relances.level(d.niveau)}{d.aide && ` · ${t.relances.helped}`}</Text>{d.attend_envoi && <Text size="xs">{can('courrier:l') ? <Link to="/courrier?onglet=lettres" inherit>{t.relances.letterWaits}</Link> : t.relances.letterWaits}</Text>}</> },
            { title: t.relances.next, num: true, wide: true, cell: (d) => (d.prochain_le && !d.attend_envoi ? day(d.prochain_le) : '–') },
            { title: t.relances.prescription, num: true, wide: true, cell: (d) => day(d.prescription_le) },
            { title: t.relances.owed, num: true, cell: (d) => euros(d.reste_centimes) },
            { title: t.relances.act, cell: (d) => <Acts d={d} hold={() => hold(d)} /> },
          ]}
          empty={<Empty icon={IconCircleCheck} title={t.relances.empty}>{t.relances.emptyHint}</Empty>}
        />
      </Card>
      {holding && <HoldModal d={holding} onClose={() => hold(undefined)} />}
    </Stack>
  )
}

/** What a person may do with a file. */
function Acts({ d, hold }: { d: Dossier; hold: () => void }) {
  const t = useT()
  const navigate = useNavigate()
  const resume = useCommand(
    (_: null, header) => ok(api.POST('/v1/abonnes/{id}/reprise-relances', { params: { path: { id: d.abonne_id }, header }, body: {} })),
    () => done(t.relances.resumed),
  )
  const sue = useCommand(
    (_: null, header) => ok(api.POST('/v1/contentieux', { params: { header }, body: { abonne_id: d.abonne_id, motif: t.relances.noAnswer } })),
    (c) => void navigate({ to: '/contentieux/$id', params: { id: c.id } }),
  )
  const surcharge = useCommand(
    (_: null, header) => ok(api.POST('/v1/factures/{id}/majoration', { params: { path: { id: d.facture_id }, header } })),
    (f) => done(t.relances.surcharged(f.numero ?? '', euros(f.ttc_centimes))),
  )
  const [penalty, askPenalty] = useState(false)
  const onError = { onError: failed }
  return (
    <Group gap={4}>
      {can('relances:m') && (d.etat === 'EN_RELANCE' || d.etat === 'A_TRANSMETTRE') && <Button size="compact-sm" variant="default" onClick={hold}>{t.relances.hold}</Button>}
      {can('relances:m') && d.etat === 'SUSPENDU' && <Button size="compact-sm" variant="default" loading={resume.isPending} onClick={() => resume.mutate(null, onError)}>{t.relances.resume}</Button>}
      {can('relances:c') && d.etat === 'A_TRANSMETTRE' && <Button size="compact-sm" loading={sue.isPending} onClick={() => sue.mutate(null, onError)}>{t.relances.sue}</Button>}
      {d.contentieux_id && d.etat === 'EN_CONTENTIEUX' && <Link to={`/contentieux/${d.contentieux_id}`} size="sm">{t.see}</Link>}
      {can('relances:c') && d.majorable && <Button size="compact-sm" variant="default" loading={surcharge.isPending} onClick={() => surcharge.mutate(null, onError)}>{t.relances.surcharge}</Button>}
      {can('relances:c') && d.reste_centimes > 0 && d.etat !== 'SUSPENDU' && <Button size="compact-sm" variant="default" onClick={() => askPenalty(true)}>{t.relances.penalty}</Button>}
      {penalty && <PenaltyModal d={d} onClose={() => askPenalty(false)} />}
    </Group>
  )
}

/** Says what the lateness of a bill costs, and by which rules, before it is asked. */
function PenaltyModal({ d, onClose }: { d: Dossier; onClose: () => void }) {
  const t = useT()
  const send = (simulation: boolean, header: Command) => ok(api.POST('/v1/factures/{id}/penalites', { params: { path: { id: d.facture_id }, header }, body: { simulation } }))
  const seen = useQuery({ queryKey: ['penalites', d.facture_id], queryFn: () => send(true, { 'Idempotency-Key': crypto.randomUUID() }), retry: false, gcTime: 0 })
  const command = useCommand((_: null, header) => send(false, header), (p) => (onClose(), done(t.relances.surcharged(p.numero ?? '', euros(p.total_centimes)))))
  const p = seen.data
  const refusal = command.error ?? (seen.error && asProblem(seen.error))
  const error = refusal && <>{refusal.message}{refusal.code === 'taux_absent' && <> <Link to="/relances?onglet=regles" inherit>{t.penalites.lead}</Link></>}</>
  return (
    <Ask title={t.relances.penaltyOf(d.numero)} opened onClose={onClose} submit={t.relances.penalty} busy={command.isPending} error={error} disabled={!p} onSubmit={() => command.mutate(null)}>
      {p && (
        <>
          <Text size="sm">{t.relances.penaltyText(euros(p.forfait_centimes), euros(p.interets_centimes), integer(p.jours), day(p.du), day(p.jusqua))}</Text>
          <Text size="sm" fw={600}>{euros(p.total_centimes)}</Text>
          {list(p.sources).map((s) => <Text key={s} size="xs" c="dimmed">{s}</Text>)}
        </>
      )}
    </Ask>
  )
}

const reasons = ['FSL', 'ECHEANCIER', 'CONTESTATION', 'AUTRE'] as const

function HoldModal({ d, onClose }: { d: Dossier; onClose: () => void }) {
  const t = useT()
  const [motif, setMotif] = useState<(typeof reasons)[number]>('FSL')
  const [date, setDate] = useState(today())
  const [detail, setDetail] = useState('')
  const fsl = motif === 'FSL'
  const command = useCommand(
    (_: null, header) =>
      ok(api.POST('/v1/abonnes/{id}/suspension-relances', {
        params: { path: { id: d.abonne_id }, header },
        body: { motif, detail: detail.trim(), ...(fsl ? { depose_le: date } : { jusqua: date }), ...(motif === 'CONTESTATION' ? { facture_id: d.facture_id } : {}) },
      })),
    (s) => (onClose(), done(t.relances.held(day(s.jusqua), s.dossiers))),
  )
  return (
    <Ask title={t.relances.holdTitle(d.nom)} opened onClose={onClose} submit={t.relances.hold} busy={command.isPending} error={command.error && sentence(command.error)} disabled={!detail.trim()} onSubmit={() => command.mutate(null)}>
      <Select label={t.relances.reason} allowDeselect={false} data={reasons.map((r) => ({ value: r, label: t.relances.reasons[r] }))} value={motif} onChange={(v) => { const next = reasons.find((r) => r === v) ?? 'AUTRE'; setMotif(next); setDate(next === 'FSL' ? today() : addDays(today(), 30)) }} />
      <DayInput label={fsl ? t.relances.deposited : t.relances.until} value={date} onChange={(v) => v && setDate(v)} />
      <Text size="sm" c="dimmed">{fsl ? t.relances.fslText : motif === 'CONTESTATION' ? t.relances.oneBill(d.numero) : t.relances.allBills}</Text>
      <Textarea label={t.relances.detail} withAsterisk autosize minRows={2} maxLength={400} value={detail} onChange={(e) => setDetail(e.currentTarget.value)} />
    </Ask>
  )
}

function Litigation() {
  const t = useT()
  const pages = usePages(['contentieux'], (curseur, signal) => ok(api.GET('/v1/contentieux', { params: { query: { curseur } }, signal })))
  return (
    <Card flush>
      <DataTable
        label={t.relances.tabs.contentieux}
        {...pages}
        id={(c) => c.id}
        to={(c) => `/contentieux/${c.id}`}
        columns={[
          { title: t.abonnes.name, head: true, cell: (c) => <Link to={`/contentieux/${c.id}`} inherit fw={600}>{c.nom}</Link> },
          { title: t.relances.since, wide: true, cell: (c) => day(c.ouvert_le) },
          { title: t.relances.bills, num: true, wide: true, cell: (c) => integer(c.factures) },
          { title: t.relances.prescription, num: true, cell: (c) => (c.prescription_le ? day(c.prescription_le) : '–') },
          { title: t.relances.owed, num: true, cell: (c) => euros(c.reste_centimes) },
        ]}
        empty={<Empty icon={IconScale} title={t.relances.noLitigation}>{t.relances.noLitigationHint}</Empty>}
      />
    </Card>
  )
}

function GivenUp() {
  const t = useT()
  const [deciding, decide] = useState<Schemas['NonValeur']>()
  const pages = usePages(['non-valeurs'], (curseur, signal) => ok(api.GET('/v1/non-valeurs', { params: { query: { curseur } }, signal })))
  return (
    <Card flush>
      <DataTable
        label={t.relances.tabs.nonValeurs}
        {...pages}
        id={(n) => n.id}
        columns={[
          { title: t.relances.bill, head: true, cell: (n) => <Link to={`/factures/${n.facture_id}`} inherit fw={600}>{n.numero}</Link> },
          { title: t.abonnes.name, cell: (n) => n.nom },
          { title: t.abonne.state, cell: (n) => <State of="nonValeur" value={n.etat} /> },
          { title: t.relances.reason, wide: true, cell: (n) => n.motif },
          { title: t.relances.decision, wide: true, cell: (n) => n.deliberation ?? '–' },
          { title: t.relances.owed, num: true, cell: (n) => euros(n.montant_centimes) },
          { title: t.relances.act, cell: (n) => n.etat === 'PROPOSEE' && can('relances:v') && <Button size="compact-sm" onClick={() => decide(n)}>{t.relances.decide}</Button> },
        ]}
        empty={<Empty icon={IconCircleCheck} title={t.relances.noGivenUp}>{t.relances.noGivenUpHint}</Empty>}
      />
      {deciding && <DecideModal n={deciding} onClose={() => decide(undefined)} />}
    </Card>
  )
}

function DecideModal({ n, onClose }: { n: Schemas['NonValeur']; onClose: () => void }) {
  const t = useT()
  const [deliberation, setDeliberation] = useState('')
  const command = useCommand(
    (admise: boolean, header) => ok(api.POST('/v1/non-valeurs/{id}/decision', { params: { path: { id: n.id }, header }, body: { admise, deliberation: admise ? deliberation.trim() : undefined } })),
    onClose,
  )
  return (
    <Ask title={t.relances.decideTitle(n.numero)} danger opened onClose={onClose} submit={t.relances.giveUp} busy={command.isPending} error={command.error?.message} disabled={!deliberation.trim()} onSubmit={() => command.mutate(true)}>
      <Text size="sm">{t.relances.giveUpText(euros(n.montant_centimes), n.nom)}</Text>
      <TextInput label={t.relances.decision} withAsterisk maxLength={200} value={deliberation} onChange={(e) => setDeliberation(e.currentTarget.value)} data-autofocus />
      <Button variant="subtle" color="gray" loading={command.isPending} onClick={() => command.mutate(false)}>{t.relances.refuse}</Button>
    </Ask>
  )
}

/** The delays in force, each with its source. */
function Rules() {
  const t = useT()
  const query = useQuery({ queryKey: ['regles-recouvrement'], queryFn: ({ signal }) => ok(api.GET('/v1/relances/regles', { signal })) })
  return (
    <Loaded query={query} rows={5}>
      {(r) => (
        <Stack gap="lg">
          <Alert color="eau">{t.relances.neverCut}</Alert>
          <Card title={t.relances.letters} flush>
            <DataTable
              label={t.relances.letters}
              rows={list(r.niveaux)}
              id={(n) => String(n.niveau)}
              columns={[
                { title: t.relances.letter, head: true, cell: (n) => n.libelle },
                { title: t.relances.after, num: true, cell: (n) => t.relances.days(n.apres_jours) },
                { title: t.relances.notice, num: true, cell: (n) => t.relances.days(n.preavis_jours) },
                { title: t.relances.channel, cell: (n) => <Channel n={n} /> },
                { title: t.relances.noticeHelped, num: true, wide: true, cell: (n) => t.relances.days(n.preavis_aide_jours) },
                { title: t.relances.source, wide: true, cell: (n) => n.source },
              ]}
              empty={null}
            />
          </Card>
          <Card title={t.relances.figures} flush>
            <DataTable
              label={t.relances.figures}
              rows={list(r.regles)}
              id={(x) => x.code}
              columns={[
                { title: t.relances.rule, head: true, cell: (x) => t.relances.rules[x.code as keyof typeof t.relances.rules] ?? x.code },
                { title: t.relances.value, num: true, cell: (x) => `${integer(x.valeur)} ${x.unite}` },
                { title: t.relances.source, wide: true, cell: (x) => x.source },
              ]}
              empty={null}
            />
          </Card>
          <Penalites rules={list(r.penalites)} />
        </Stack>
      )}
    </Loaded>
  )
}

/** How the letters of a level go; what the law wants in writing stays so. */
function Channel({ n }: { n: Schemas['NiveauRelance'] }) {
  const t = useT()
  const command = useCommand((canal: Schemas['NiveauRelance']['canal'], header) => ok(api.POST('/v1/relances/regles/canal', { params: { header }, body: { niveau: n.niveau, canal } })), () => done(t.relances.channelSet))
  const choices = (['ECRIT', 'ECRIT_SMS', 'SMS'] as const).filter((c) => c !== 'SMS' || !n.ecrit_exige)
  if (!can('relances:v')) return t.relances.channels[n.canal]
  return <Select size="xs" miw={190} aria-label={`${t.relances.channel}, ${n.libelle}`} allowDeselect={false} disabled={command.isPending} data={choices.map((c) => ({ value: c, label: t.relances.channels[c] }))} value={n.canal} onChange={(v) => v && v !== n.canal && command.mutate(v as typeof n.canal, { onError: failed })} />
}
