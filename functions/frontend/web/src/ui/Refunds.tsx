import { Alert, Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { compte } from '../api/queries'
import { can, useSession } from '../api/session'
import { day, euros, today } from '../format'
import { useT } from '../i18n'
import { type Column, DataTable } from './DataTable'
import { Ask, centimes, DayInput, done, EuroInput, sentence, showFields } from './forms'
import { Empty } from './Loaded'
import { Card, Link } from './Page'
import { State } from './State'

type Refund = Schemas['Remboursement']

/** Refunds that wait, then the others: of one abonne, or of all. Who asked never decides. */
export function Refunds({ abonne }: { abonne?: string }) {
  const t = useT()
  const me = useSession()?.utilisateur.id
  const query = useQuery({ queryKey: ['remboursements', abonne], queryFn: ({ signal }) => ok(api.GET('/v1/remboursements', { params: { query: { abonne_id: abonne } }, signal })) })
  const [act, setAct] = useState<{ what: 'ask' } | { what: 'approve' | 'refuse' | 'pay'; refund: Refund }>()
  const close = () => setAct(undefined)
  const acts = (r: Refund) => {
    if (r.etat === 'DEMANDE' && r.demande_par === me) return <Text size="sm" c="dimmed">{t.refunds.notYou}</Text>
    if (r.etat === 'DEMANDE' && can('paiements:v'))
      return (
        <Group gap="xs">
          <Button size="xs" onClick={() => setAct({ what: 'approve', refund: r })}>{t.refunds.approve}</Button>
          <Button size="xs" variant="default" onClick={() => setAct({ what: 'refuse', refund: r })}>{t.refunds.refuse}</Button>
        </Group>
      )
    if (r.etat === 'APPROUVE' && can('paiements:m')) return <Button size="xs" onClick={() => setAct({ what: 'pay', refund: r })}>{t.refunds.pay}</Button>
    if (r.etat === 'DEMANDE') return <Text size="sm" c="dimmed">{t.refunds.waitsDecision}</Text>
    if (r.etat === 'APPROUVE') return <Text size="sm" c="dimmed">{t.refunds.waitsPayment}</Text>
    return null
  }
  const columns: (Column<Refund> | false)[] = [
    !abonne && { title: t.encaissements.payer, head: true, cell: (r) => <Link to={`/abonnes/${r.abonne_id}?onglet=paiements`} inherit>{r.nom}</Link> },
    { title: t.encaissements.amount, num: true, head: Boolean(abonne), cell: (r) => euros(r.montant_centimes) },
    { title: t.encaissements.state, cell: (r) => <State of="remboursement" value={r.etat} /> },
    {
      title: t.refunds.history,
      cell: (r) => (
        <>
          <div>{r.motif}</div>
          <div className="soft">{t.refunds.askedBy(r.demande_nom || t.refunds.someone, day(r.demande_le))}</div>
          {r.decide_par && <div className="soft">{r.etat === 'REFUSE' ? t.refunds.refusedBy(r.decide_nom || t.refunds.someone, r.refus ?? '') : t.refunds.approvedBy(r.decide_nom || t.refunds.someone)}</div>}
          {r.paye_le && <div className="soft">{t.refunds.paidOn(day(r.paye_le), r.piece ?? '')}</div>}
        </>
      ),
    },
    { title: t.encaissements.act, cell: acts },
  ]
  return (
    <Card title={t.refunds.title} hint={t.refunds.hint} flush>
      <Stack gap="xs" px="lg" pb="md" align="flex-start">
        <Text size="sm" c="dimmed">{t.refunds.rights(can('paiements:c'), can('paiements:v'), can('paiements:m'))}</Text>
        {abonne && can('paiements:c') && <Button variant="default" onClick={() => setAct({ what: 'ask' })}>{t.refunds.ask}</Button>}
      </Stack>
      <DataTable
        label={t.refunds.title}
        rows={query.data && list(query.data.items)}
        error={query.error}
        refetch={query.refetch}
        id={(r) => r.id}
        columns={columns.filter((c) => !!c)}
        empty={<Empty title={t.refunds.none} />}
      />
      {act?.what === 'ask' && abonne && <AskRefund abonne={abonne} onClose={close} />}
      {act?.what === 'approve' && <Decide refund={act.refund} approve onClose={close} />}
      {act?.what === 'refuse' && <Decide refund={act.refund} onClose={close} />}
      {act?.what === 'pay' && <Pay refund={act.refund} onClose={close} />}
    </Card>
  )
}

function AskRefund({ abonne, onClose }: { abonne: string; onClose: () => void }) {
  const t = useT()
  const account = useQuery(compte(abonne))
  const [error, setError] = useState<string | null>(null)
  const credit = Math.max(0, -(account.data?.solde_centimes ?? 0))
  const form = useForm({
    initialValues: { montant_centimes: '' as number | string, motif: '' },
    validate: { montant_centimes: (v) => (Number(v) > 0 ? null : t.form.positive), motif: (v) => (v.trim() ? null : t.form.required) },
  })
  const command = useCommand((body: Schemas['DemanderRemboursement'], header) => ok(api.POST('/v1/remboursements', { params: { header }, body })), () => (onClose(), done(t.refunds.asked)))
  const amount = centimes(form.values.montant_centimes)
  const submit = () => {
    if (form.validate().hasErrors) return
    setError(null)
    command.mutate({ abonne_id: abonne, montant_centimes: amount, motif: form.values.motif.trim() }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.refunds.ask} opened onClose={onClose} onSubmit={submit} submit={t.refunds.ask} busy={command.isPending} error={error}>
      <Text size="sm">{t.refunds.credit(euros(credit))}</Text>
      <EuroInput label={t.encaissements.amount} withAsterisk data-autofocus {...form.getInputProps('montant_centimes')} />
      <TextInput label={t.encaissements.reason} withAsterisk maxLength={200} {...form.getInputProps('motif')} />
      {amount > 0 && <Alert color="eau" title={t.paymentActs.effect}><Text size="sm">{t.refunds.willSetAside(euros(amount))}</Text></Alert>}
    </Ask>
  )
}

function Decide({ refund: r, approve = false, onClose }: { refund: Refund; approve?: boolean; onClose: () => void }) {
  const t = useT()
  const [motif, setMotif] = useState('')
  const [error, setError] = useState<string | null>(null)
  const command = useCommand(
    (body: { approuve: boolean; motif?: string }, header) => ok(api.POST('/v1/remboursements/{id}/decision', { params: { header, path: { id: r.id } }, body })),
    () => (onClose(), done(approve ? t.refunds.approved : t.refunds.refused)),
  )
  return (
    <Ask title={approve ? t.refunds.approveTitle : t.refunds.refuseTitle} danger={!approve} opened onClose={onClose} submit={approve ? t.refunds.approve : t.refunds.refuse} busy={command.isPending} error={error} disabled={!approve && !motif.trim()} onSubmit={() => command.mutate({ approuve: approve, motif: motif.trim() || undefined }, { onError: (problem) => setError(sentence(problem)) })}>
      <Stack gap={4}>
        <Text size="sm">{t.refunds.of(euros(r.montant_centimes), r.nom)}</Text>
        <Text size="sm" c="dimmed">{r.motif} · {t.refunds.askedBy(r.demande_nom || t.refunds.someone, day(r.demande_le))}</Text>
      </Stack>
      {!approve && <Textarea label={t.encaissements.reason} withAsterisk autosize maxLength={200} data-autofocus value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />}
      <Alert color="eau" title={t.paymentActs.effect}><Text size="sm">{approve ? t.refunds.willBePaid : t.refunds.willBeFree(euros(r.montant_centimes))}</Text></Alert>
    </Ask>
  )
}

function Pay({ refund: r, onClose }: { refund: Refund; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { paye_le: today() as string | null, piece: '' }, validate: { paye_le: (v) => (v ? null : t.form.required) } })
  const command = useCommand(
    (body: { paye_le: string; piece?: string }, header) => ok(api.POST('/v1/remboursements/{id}/paiement', { params: { header, path: { id: r.id } }, body })),
    () => (onClose(), done(t.refunds.paid)),
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    command.mutate({ paye_le: form.values.paye_le!, piece: form.values.piece.trim() || undefined }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.refunds.payTitle} opened onClose={onClose} onSubmit={submit} submit={t.refunds.pay} busy={command.isPending} error={error}>
      <Text size="sm">{t.refunds.of(euros(r.montant_centimes), r.nom)}</Text>
      <DayInput label={t.refunds.day} maxDate={today()} withAsterisk data-autofocus {...form.getInputProps('paye_le')} />
      <TextInput label={t.refunds.piece} maxLength={80} {...form.getInputProps('piece')} />
      <Alert color="eau" title={t.paymentActs.effect}><Text size="sm">{t.refunds.willBeBooked(euros(r.montant_centimes))}</Text></Alert>
    </Ask>
  )
}
