import { Button, Group, Stack, Switch, Tabs, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, euros, instant, integer } from '../format'
import { lang, useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { DocumentButton } from '../ui/DocumentButton'
import { Ask, centimes, done, EuroInput, failed, sentence, showFields } from '../ui/forms'
import { IconPrinter } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Facts, Link, Page } from '../ui/Page'
import { AllPlans } from '../ui/Plans'
import { Refunds } from '../ui/Refunds'

/** Money that comes in: what has no owner yet, the cash desk, deposit slips, refunds. */
export default function Encaissements() {
  const { encaissements: t, plans: { tab: plans } } = useT()
  const navigate = useNavigate()
  const tab = (useSearch({ strict: false }) as { onglet?: string }).onglet ?? 'rapprochement'
  return (
    <Page title={t.title}>
      <Tabs value={tab} onChange={(next) => void navigate({ to: '.', search: { onglet: next ?? undefined }, replace: true })} keepMounted={false}>
        <Tabs.List mb="lg" style={{ overflowX: 'auto', flexWrap: 'nowrap' }}>
          <Tabs.Tab value="rapprochement">{t.match}</Tabs.Tab>
          <Tabs.Tab value="caisse">{t.desk}</Tabs.Tab>
          <Tabs.Tab value="remises">{t.slips}</Tabs.Tab>
          <Tabs.Tab value="remboursements">{t.refunds}</Tabs.Tab>
          <Tabs.Tab value="echeanciers">{plans}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="rapprochement"><Matching /></Tabs.Panel>
        <Tabs.Panel value="caisse"><Desk /></Tabs.Panel>
        <Tabs.Panel value="remises"><Slips /></Tabs.Panel>
        <Tabs.Panel value="remboursements"><Refunds /></Tabs.Panel>
        <Tabs.Panel value="echeanciers"><AllPlans /></Tabs.Panel>
      </Tabs>
    </Page>
  )
}

function Matching() {
  const t = useT().encaissements
  const query = useQuery({ queryKey: ['rapprochement'], queryFn: ({ signal }) => ok(api.GET('/v1/rapprochement', { signal })) })
  const [giving, give] = useState<Schemas['Attente']>()
  const match = useCommand(
    ({ id, facture_id }: { id: string; facture_id: string }, header) => ok(api.POST('/v1/paiements/{id}/lettrage', { params: { header, path: { id } }, body: { facture_id } })),
    () => done(t.matched),
  )
  return (
    <Stack gap="lg">
      <Card title={t.waiting} hint={t.waitingHint} flush>
        <DataTable
          label={t.waiting}
          rows={query.data && list(query.data.attentes)}
          error={query.error}
          refetch={query.refetch}
          id={(a) => a.id}
          columns={[
            { title: t.payer, head: true, cell: (a) => a.nom || a.libelle },
            { title: t.text, wide: true, cell: (a) => a.libelle },
            { title: t.date, wide: true, cell: (a) => day(a.recu_le) },
            { title: t.left, num: true, cell: (a) => euros(a.reste_centimes) },
            { title: t.maybe, wide: true, cell: (a) => list(a.propositions).map((p) => `${p.numero} (${p.nom})`).join(', ') },
            { title: t.act, cell: (a) => can('paiements:m') && <Button size="xs" variant="default" onClick={() => give(a)}>{t.give}</Button> },
          ]}
          empty={<Empty title={t.noneWaiting}>{t.noneWaitingHint}</Empty>}
        />
      </Card>
      <Card title={t.advances} hint={t.advancesHint} flush>
        <DataTable
          label={t.advances}
          rows={query.data && list(query.data.avances)}
          error={query.error}
          refetch={query.refetch}
          id={(a) => a.paiement_id || a.avoir_id || ''}
          columns={[
            { title: t.payer, head: true, cell: (a) => <Link to={`/abonnes/${a.abonne_id}?onglet=paiements`} inherit>{a.nom}</Link> },
            { title: t.date, wide: true, cell: (a) => day(a.date) },
            { title: t.left, num: true, cell: (a) => euros(a.reste_centimes) },
            {
              title: t.act,
              cell: ({ paiement_id, factures }) =>
                paiement_id && can('paiements:m') && (
                  <Group gap="xs">
                    {list(factures).slice(0, 3).map((f) => (
                      <Button key={f.facture_id} size="xs" variant="default" loading={match.isPending} onClick={() => match.mutate({ id: paiement_id, facture_id: f.facture_id }, { onError: failed })}>
                        {t.to(f.numero, euros(f.reste_centimes))}
                      </Button>
                    ))}
                  </Group>
                ),
            },
          ]}
          empty={<Empty title={t.noAdvance} />}
        />
      </Card>
      <Untaken refusees={list(query.data?.refusees)} />
      <Rules rules={list(query.data?.regles)} />
      {giving && <GiveModal attente={giving} onClose={() => give(undefined)} />}
    </Stack>
  )
}

/** What the payment provider told and that was not taken. */
function Untaken({ refusees }: { refusees: Schemas['NotificationRefusee'][] }) {
  const t = useT().encaissements
  const [settling, settle] = useState<Schemas['NotificationRefusee']>()
  const [past, showPast] = useDisclosure()
  const waiting = refusees.filter((n) => !n.traitee_a)
  const over = refusees.length - waiting.length
  if (refusees.length === 0) return null
  return (
    <Card title={t.untaken} hint={t.untakenHint} aside={over > 0 && <Button variant="subtle" size="compact-sm" aria-expanded={past} onClick={showPast.toggle}>{past ? t.hideSettled : t.showSettled(over)}</Button>} flush>
      <DataTable
        label={t.untaken}
        rows={past ? refusees : waiting}
        id={(n) => n.id}
        columns={[
          { title: t.date, head: true, cell: (n) => instant(n.recu_a) },
          { title: t.transaction, wide: true, cell: (n) => n.transaction },
          { title: t.amount, num: true, cell: (n) => n.montant_centimes && euros(n.montant_centimes) },
          { title: t.reason, cell: (n) => (lang() === 'en' ? n.detail_en : n.detail) },
          {
            title: t.act,
            cell: (n) =>
              n.traitee_a
                ? <>{n.mot}<Text size="xs" c="dimmed">{n.traitee_par}, {instant(n.traitee_a)}</Text></>
                : can('paiements:m') && <Button size="xs" variant="default" onClick={() => settle(n)}>{t.settle}</Button>,
          },
        ]}
        empty={<Empty title={t.allSettled} />}
      />
      {settling && <SettleModal n={settling} onClose={() => settle(undefined)} />}
    </Card>
  )
}

/** Says what was found of a refused notification, or done about it. */
function SettleModal({ n, onClose }: { n: Schemas['NotificationRefusee']; onClose: () => void }) {
  const t = useT().encaissements
  const [mot, setMot] = useState('')
  const command = useCommand((body: Schemas['TraiterNotification'], header) => ok(api.POST('/v1/rapprochement/notifications', { params: { header }, body })), () => (done(t.settled), onClose()))
  return (
    <Ask title={t.settle} opened onClose={onClose} onSubmit={() => command.mutate({ notification_id: n.id, mot: mot.trim() })} submit={t.settle} busy={command.isPending} error={command.error && sentence(command.error)} disabled={!mot.trim()}>
      <Text size="sm">{t.settleText}</Text>
      <TextInput label={t.found} withAsterisk maxLength={200} data-autofocus value={mot} onChange={(e) => setMot(e.currentTarget.value)} />
    </Ask>
  )
}

/** How money finds its owner, rule by rule. */
function Rules({ rules }: { rules: Schemas['RegleLettrage'][] }) {
  const t = useT().encaissements
  const may = can('paiements:v')
  const toggle = useCommand(
    (body: Schemas['ReglerLettrage'], header) => ok(api.POST('/v1/rapprochement/regles', { params: { header }, body })),
    (r) => done(r.active ? t.ruleOn(r.libelle) : t.ruleOff(r.libelle)),
  )
  if (rules.length === 0) return null
  return (
    <Card title={t.rules} hint={t.rulesHint}>
      <Stack gap="sm">
        {!may && <Text size="sm" c="dimmed">{t.rulesRight}</Text>}
        {rules.map((r, i) => (
          <Switch key={r.code} label={`${i + 1}. ${r.libelle}`} checked={r.active} disabled={!may || toggle.isPending} onChange={(e) => toggle.mutate({ code: r.code, active: e.currentTarget.checked }, { onError: failed })} />
        ))}
      </Stack>
    </Card>
  )
}

function GiveModal({ attente, onClose }: { attente: Schemas['Attente']; onClose: () => void }) {
  const t = useT().encaissements
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { reference: list(attente.propositions)[0]?.numero ?? '', montant_centimes: attente.reste_centimes / 100 as number | string } })
  const command = useCommand(
    (body: { reference: string; montant_centimes: number }, header) => ok(api.POST('/v1/encaissements/{id}/affectation', { params: { header, path: { id: attente.id } }, body })),
    () => (done(t.given), onClose()),
  )
  const submit = () => {
    setError(null)
    command.mutate({ reference: form.values.reference.trim(), montant_centimes: centimes(form.values.montant_centimes) }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.giveTitle(euros(attente.reste_centimes))} opened onClose={onClose} onSubmit={submit} submit={t.give} busy={command.isPending} error={error}>
      <Text size="sm">{attente.nom} - {attente.libelle}</Text>
      <TextInput label={t.reference} description={t.referenceHint} required data-autofocus {...form.getInputProps('reference')} />
      <EuroInput label={t.amount} {...form.getInputProps('montant_centimes')} />
    </Ask>
  )
}

function Desk() {
  const { encaissements: t, form: { required } } = useT()
  const query = useQuery({ queryKey: ['caisses'], queryFn: ({ signal }) => ok(api.GET('/v1/caisses', { signal })) })
  const [asking, ask] = useState<'open' | 'close'>()
  const [error, setError] = useState<string | null>(null)
  const mine = list(query.data?.sessions).find((s) => s.a_moi && !s.fermee_a)
  const form = useForm({ initialValues: { montant: '' as number | string, motif: '' }, validate: { montant: (v) => (v === '' ? required : null) } }) // 0 is what somebody counted
  const end = () => (ask(undefined), setError(null), form.reset())
  const open = useCommand((body: Schemas['OuvrirCaisse'], header) => ok(api.POST('/v1/caisses/sessions', { params: { header }, body })), () => (done(t.opened), end()))
  const close = useCommand(
    ({ id, ...body }: { id: string; compte_centimes: number; motif?: string }, header) => ok(api.POST('/v1/caisses/sessions/{id}/fermeture', { params: { header, path: { id } }, body })),
    (s) => (done(t.closed(euros(s.ecart_centimes))), end()),
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const onError = (problem: Parameters<typeof showFields>[1]) => setError(showFields(form, problem) ?? problem.message)
    setError(null)
    if (mine) close.mutate({ id: mine.id, compte_centimes: centimes(form.values.montant), motif: form.values.motif || undefined }, { onError })
    else open.mutate({ caisse: list(query.data?.items)[0]?.code ?? '', fond_centimes: centimes(form.values.montant) }, { onError })
  }
  return (
    <Loaded query={query}>
      {({ sessions }) => (
        <Stack gap="lg">
          <Card title={t.mySession} hint={t.deskHint} aside={can('paiements:c') && <Button onClick={() => ask(mine ? 'close' : 'open')}>{mine ? t.close : t.open}</Button>}>
            {mine
              ? <Facts items={[[t.since, instant(mine.ouverte_a)], [t.float, euros(mine.fond_centimes)], [t.cash, euros(mine.recu_centimes)], [t.expected, euros(mine.attendu_centimes)]]} />
              : <Text size="sm">{t.noSession}</Text>}
          </Card>
          <Card title={t.sessions} flush>
            <DataTable
              label={t.sessions}
              rows={list(sessions)}
              id={(s) => s.id}
              columns={[
                { title: t.cashier, head: true, cell: (s) => s.nom },
                { title: t.since, cell: (s) => instant(s.ouverte_a) },
                { title: t.payments, num: true, wide: true, cell: (s) => integer(s.paiements) },
                { title: t.expected, num: true, cell: (s) => euros(s.attendu_centimes) },
                { title: t.difference, num: true, cell: (s) => (s.fermee_a ? euros(s.ecart_centimes) : t.running) },
                { title: t.reason, wide: true, cell: (s) => s.motif },
              ]}
              empty={<Empty title={t.noSessions} />}
            />
          </Card>
          <Ask title={mine ? t.close : t.open} opened={Boolean(asking)} onClose={end} onSubmit={submit} submit={mine ? t.close : t.open} busy={open.isPending || close.isPending} error={error}>
            <EuroInput label={mine ? t.counted : t.float} required data-autofocus {...form.getInputProps('montant')} />
            {mine && <TextInput label={t.reason} description={t.reasonHint} maxLength={200} {...form.getInputProps('motif')} />}
          </Ask>
        </Stack>
      )}
    </Loaded>
  )
}

function Slips() {
  const { encaissements: t, word } = useT()
  const moyens = useQuery({ queryKey: ['moyens'], queryFn: ({ signal }) => ok(api.GET('/v1/moyens-de-paiement', { signal })) })
  const query = useQuery({ queryKey: ['bordereaux'], queryFn: ({ signal }) => ok(api.GET('/v1/bordereaux', { signal })) })
  const create = useCommand((body: { mode: string }, header) => ok(api.POST('/v1/bordereaux', { params: { header }, body })), (b) => done(t.slipDone(b.numero, euros(b.montant_centimes))))
  return (
    <Stack gap="lg">
      <Card title={t.toBank} hint={t.toBankHint} flush>
        <DataTable
          label={t.toBank}
          rows={moyens.data && list(moyens.data.items).filter((m) => m.a_remettre > 0)}
          error={moyens.error}
          refetch={moyens.refetch}
          id={(m) => m.code}
          columns={[
            { title: t.means, head: true, cell: (m) => m.libelle },
            { title: t.payments, num: true, cell: (m) => integer(m.a_remettre) },
            { title: t.amount, num: true, cell: (m) => euros(m.a_remettre_centimes) },
            { title: t.act, cell: (m) => can('paiements:m') && <Button size="xs" loading={create.isPending} onClick={() => create.mutate({ mode: m.code }, { onError: failed })}>{t.makeSlip}</Button> },
          ]}
          empty={<Empty title={t.nothingToBank} />}
        />
      </Card>
      <Card title={t.slips} flush>
        <DataTable
          label={t.slips}
          rows={query.data && list(query.data.items)}
          error={query.error}
          refetch={query.refetch}
          id={(b) => b.id}
          columns={[
            { title: t.number, head: true, cell: (b) => b.numero },
            { title: t.means, cell: (b) => (word.mode as Record<string, string>)[b.mode] ?? b.mode },
            { title: t.date, cell: (b) => day(b.date) },
            { title: t.payments, num: true, wide: true, cell: (b) => integer(b.nombre) },
            { title: t.amount, num: true, cell: (b) => euros(b.montant_centimes) },
            { title: t.confirmed, wide: true, cell: (b) => (b.creditee_le ? day(b.creditee_le) : t.notYet) },
            {
              title: t.print,
              cell: (b) => <DocumentButton small icon={<IconPrinter size={18} />} label={t.print} name={t.paper(b.numero)} file={`${b.numero}.pdf`} read={() => ok(api.GET('/v1/bordereaux/{id}/pdf', { params: { path: { id: b.id } }, parseAs: 'blob' }))} />,
            },
          ]}
          empty={<Empty title={t.noSlips} />}
        />
      </Card>
    </Stack>
  )
}
