import { Alert, Anchor, Button, Checkbox, Group, Progress, SegmentedControl, SimpleGrid, Stack, Table, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link as RouterLink } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { echeanciers, facturesOuvertes, mandats } from '../api/queries'
import { can } from '../api/session'
import { addDays, day, euros, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from './DataTable'
import { Ask, DayInput, done, sentence, showFields, WholeInput } from './forms'
import { IconAlertTriangle } from './icons'
import { Empty, Loaded } from './Loaded'
import { Card, Facts, Link } from './Page'
import { State } from './State'

type Plan = Schemas['Echeancier']

/** The plans of payment of an abonne: those that run first, with all their parts; the others on request. */
export function Plans({ id }: { id: string }) {
  const t = useT().plans
  const query = useQuery(echeanciers(id))
  const [granting, grant] = useDisclosure()
  const [starting, start] = useDisclosure()
  const [stopping, stop] = useState<Plan>()
  const [past, showPast] = useDisclosure()
  const all = list(query.data?.items)
  const running = all.filter((p) => p.etat === 'EN_COURS')
  const over = all.filter((p) => p.etat !== 'EN_COURS')
  const may = can('paiements:c')
  if (!may && query.data && all.length === 0) return null
  return (
    <Card title={t.title} hint={t.hint}>
      <Stack gap="lg">
        {may && (
          <Group gap="xs">
            <Button variant="default" onClick={grant.open}>{t.grant}</Button>
            {query.data && !running.some((p) => p.nature === 'MENSUALISATION') && <Button variant="default" onClick={start.open}>{t.monthly}</Button>}
          </Group>
        )}
        <Loaded query={query} rows={2}>
          {() => (
            <>
              {running.length === 0 && <Text size="sm" c="dimmed">{t.none}</Text>}
              {running.map((p) => <PlanDetail key={p.id} plan={p} onStop={can('paiements:m') ? () => stop(p) : undefined} />)}
              {over.length > 0 && (
                <>
                  <Button variant="subtle" size="compact-sm" style={{ alignSelf: 'flex-start' }} aria-expanded={past} onClick={showPast.toggle}>{past ? t.hidePast : t.showPast(over.length)}</Button>
                  {past && over.map((p) => <PlanDetail key={p.id} plan={p} />)}
                </>
              )}
            </>
          )}
        </Loaded>
      </Stack>
      {granting && <PlanModal abonne={id} onClose={grant.close} />}
      {starting && <MonthlyModal abonne={id} onClose={start.close} />}
      {stopping && <StopModal plan={stopping} onClose={() => stop(undefined)} />}
    </Card>
  )
}

/** The plans of all abonnes in a state: which of them are late, which are broken. */
export function AllPlans() {
  const t = useT()
  const [etat, setEtat] = useState<Plan['etat']>('EN_COURS')
  const query = useQuery({ queryKey: ['echeanciers', etat], queryFn: ({ signal }) => ok(api.GET('/v1/echeanciers', { params: { query: { etat } }, signal })) })
  return (
    <Card title={t.plans.title} flush>
      <Group px="lg" pb="md">
        <SegmentedControl aria-label={t.plans.state} value={etat} onChange={(v) => setEtat(v as Plan['etat'])} data={(['EN_COURS', 'ROMPU', 'SOLDE', 'ANNULE'] as const).map((value) => ({ value, label: t.state.echeancier[value] }))} />
      </Group>
      <DataTable
        label={t.plans.title}
        rows={query.data && list(query.data.items)}
        error={query.error}
        refetch={query.refetch}
        id={(p) => p.id ?? ''}
        to={(p) => `/abonnes/${p.abonne_id}?onglet=paiements`}
        columns={[
          { title: t.plans.client, head: true, cell: (p) => <Link to={`/abonnes/${p.abonne_id}?onglet=paiements`} inherit>{p.nom}</Link> },
          { title: t.plans.granted, wide: true, cell: (p) => `${day(p.cree_le)}, ${t.plans.natures[p.nature]}` },
          { title: t.plans.paid, num: true, cell: (p) => t.plans.paidOf(euros(p.paye_centimes), euros(p.montant_centimes)) },
          {
            title: etat === 'EN_COURS' ? t.plans.next : t.plans.ended,
            cell: (p) => {
              const next = list(p.echeances).find((e) => e.etat !== 'PAYEE')
              if (etat !== 'EN_COURS') return p.fin_le ? day(p.fin_le) : ''
              return next && <Group gap="xs"><span>{day(next.date)}</span>{next.etat && <State of="echeance" value={next.etat} />}</Group>
            },
          },
        ]}
        empty={<Empty title={t.plans.noneSo} />}
      />
    </Card>
  )
}

function PlanDetail({ plan: p, onStop }: { plan: Plan; onStop?: () => void }) {
  const t = useT()
  const title = t.plans.natures[p.nature]
  return (
    <Stack gap="xs" component="article" aria-label={title}>
      <Group justify="space-between" gap="xs">
        <Group gap="xs"><Text fw={600}>{title}</Text><State of="echeancier" value={p.etat} /></Group>
        {onStop && <Button size="compact-sm" variant="subtle" color="rouge" onClick={onStop}>{t.plans.stop}</Button>}
      </Group>
      <Progress value={Math.min(100, (100 * p.paye_centimes) / p.montant_centimes)} aria-label={t.plans.paidOf(euros(p.paye_centimes), euros(p.montant_centimes))} />
      <Facts
        items={[
          [t.plans.paid, t.plans.paidOf(euros(p.paye_centimes), euros(p.montant_centimes))],
          list(p.factures).length > 0 && [t.plans.bills, list(p.factures).join(', ')],
          [t.plans.how, p.par_prelevement ? t.word.mode.PRELEVEMENT : t.plans.byThemselves],
          [t.plans.granted, `${day(p.cree_le)}${p.nature === 'ECHEANCIER' ? `, ${p.motif}` : p.reconduit ? `, ${t.plans.renewed}` : ''}`],
          p.fin_le && [t.plans.ended, `${day(p.fin_le)}, ${p.regularise_par ? t.plans.settledBy(p.regularise_par) : p.fin_motif}`],
        ]}
      />
      <Parts plan={p} />
      {p.etat === 'EN_COURS' && <Text size="xs" c="dimmed">{t.plans.grace(p.grace_jours)}{p.nature === 'MENSUALISATION' && ` ${t.plans.goesOn}`}</Text>}
    </Stack>
  )
}

/** The dates and sums of a plan. */
function Parts({ plan }: { plan: Plan }) {
  const t = useT()
  return (
    <div className="table-scroll" role="region" aria-label={t.plans.parts} tabIndex={0}>
      <Table className="data-table" horizontalSpacing={0} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr><Table.Th scope="col">{t.date}</Table.Th><Table.Th scope="col" className="num">{t.plans.sum}</Table.Th>{plan.id && <Table.Th scope="col" ta="right">{t.abonne.state}</Table.Th>}</Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {list(plan.echeances).map((e) => (
            <Table.Tr key={e.date}>
              <Table.Th scope="row">{day(e.date)}</Table.Th>
              <Table.Td className="num">{euros(e.montant_centimes)}</Table.Td>
              {plan.id && <Table.Td ta="right">{e.etat && <State of="echeance" value={e.etat} />}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
        <Table.Tfoot><Table.Tr><Table.Th scope="row">{t.plans.total}</Table.Th><Table.Td className="num">{euros(plan.montant_centimes)}</Table.Td>{plan.id && <Table.Td />}</Table.Tr></Table.Tfoot>
      </Table>
    </div>
  )
}

/** What a plan will be, before it is granted. */
function Preview({ plan, text }: { plan: Plan; text: string }) {
  const t = useT().plans
  return (
    <Alert color="eau" icon={<IconAlertTriangle size={18} aria-hidden />} title={t.will}>
      <Stack gap="xs">
        <Parts plan={plan} />
        <Text size="sm">{text}</Text>
        <Text size="sm">{t.grace(plan.grace_jours)} {t.told}</Text>
      </Stack>
    </Alert>
  )
}

/** No debit without a mandate: says so, and leads to where one is signed. */
function NoMandate({ abonne, onClose }: { abonne: string; onClose: () => void }) {
  const t = useT().plans
  return (
    <Alert color="ambre" title={t.noMandate}>
      <Text size="sm">{t.noMandateText} <Anchor component={RouterLink} to={`/abonnes/${abonne}`} inherit onClick={onClose}>{t.toMandate}</Anchor></Text>
    </Alert>
  )
}

function useMandate(abonne: string) {
  const query = useQuery(mandats(abonne))
  return { known: query.data !== undefined, active: list(query.data?.items).some((m) => m.etat === 'ACTIF') }
}

/** Grants a plan for open bills, after it showed its dates and sums. */
export function PlanModal({ abonne, facture, onClose }: { abonne: string; facture?: string; onClose: () => void }) {
  const t = useT()
  const bills = useQuery(facturesOuvertes(abonne))
  const mandate = useMandate(abonne)
  const [preview, setPreview] = useState<Plan | null>(null)
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { factures: facture ? [facture] : ([] as string[]), nombre: 3 as number | string, premiere: addDays(today(), 10) as string | null, par_prelevement: false, motif: '' },
    validate: { nombre: (v) => (Number(v) >= 2 ? null : t.plans.two), premiere: (v) => (v ? null : t.form.required), motif: (v) => (v.trim() ? null : t.form.required) },
    onValuesChange: () => {
      setPreview(null)
      setError(null)
    },
  })
  const command = useCommand(
    (body: Schemas['CreerEcheancier'], header) => ok(api.POST('/v1/abonnes/{id}/echeanciers', { params: { header, path: { id: abonne } }, body })),
    (p) => {
      if (!p.id) return setPreview(p)
      done(t.plans.done)
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const { factures, nombre, premiere, par_prelevement, motif } = form.values
    command.mutate(
      { factures: factures.length ? factures : undefined, nombre: Number(nombre), premiere: premiere!, par_prelevement, motif: motif.trim(), simulation: !preview },
      { onError: (problem) => setError(showFields(form, problem)) },
    )
  }
  const open = bills.data ?? []
  return (
    <Ask title={t.plans.grant} size="lg" opened onClose={onClose} onSubmit={submit} submit={preview ? t.plans.accept : t.plans.preview} busy={command.isPending} error={error} disabled={bills.data?.length === 0}>
      <Loaded query={bills} rows={2}>
        {() =>
          open.length === 0 ? (
            <Text size="sm">{t.plans.nothingDue}</Text>
          ) : (
            <Checkbox.Group label={t.plans.which} description={t.plans.whichHint} {...form.getInputProps('factures')}>
              <Stack gap="xs" mt="xs">{open.map((f) => <Checkbox key={f.id} value={f.id} label={t.plans.billLeft(f.numero ?? '', euros(f.reste_centimes))} />)}</Stack>
            </Checkbox.Group>
          )
        }
      </Loaded>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <WholeInput label={t.plans.count} min={2} max={60} withAsterisk data-autofocus {...form.getInputProps('nombre')} />
        <DayInput label={t.plans.first} minDate={today()} withAsterisk {...form.getInputProps('premiere')} />
      </SimpleGrid>
      <TextInput label={t.plans.why} maxLength={200} withAsterisk {...form.getInputProps('motif')} />
      {mandate.known && (mandate.active ? <Checkbox label={t.plans.debit} {...form.getInputProps('par_prelevement', { type: 'checkbox' })} /> : <Text size="sm" c="dimmed">{t.plans.debitNeeds}</Text>)}
      {preview && <Preview plan={preview} text={t.plans.holds(list(preview.factures).join(', '))} />}
    </Ask>
  )
}

/** Starts the monthly debits of a year, after it showed them. */
function MonthlyModal({ abonne, onClose }: { abonne: string; onClose: () => void }) {
  const t = useT()
  const mandate = useMandate(abonne)
  const [preview, setPreview] = useState<Plan | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [unknown, setUnknown] = useState(false) // what a year costs
  const form = useForm({
    initialValues: { premiere: addDays(today(), 20) as string | null, volume_annuel_m3: '' as number | string },
    validate: { premiere: (v) => (v ? null : t.form.required), volume_annuel_m3: (v) => (!unknown || Number(v) > 0 ? null : t.form.positive) },
    onValuesChange: () => {
      setPreview(null)
      setError(null)
    },
  })
  const command = useCommand(
    (body: Schemas['Mensualiser'], header) => ok(api.POST('/v1/abonnes/{id}/mensualisation', { params: { header, path: { id: abonne } }, body })),
    (p) => {
      if (!p.id) return setPreview(p)
      done(t.plans.started)
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const { premiere, volume_annuel_m3 } = form.values
    command.mutate(
      { premiere: premiere!, volume_annuel_m3: Number(volume_annuel_m3) || undefined, simulation: !preview },
      { onError: (problem) => (problem.code === 'sans_historique' && !unknown ? setUnknown(true) : setError(showFields(form, problem))) },
    )
  }
  return (
    <Ask title={t.plans.monthly} size="lg" opened onClose={onClose} onSubmit={submit} submit={preview ? t.plans.begin : t.plans.preview} busy={command.isPending} error={error} disabled={!mandate.active}>
      <Text size="sm">{t.plans.monthlyText}</Text>
      {mandate.known && !mandate.active && <NoMandate abonne={abonne} onClose={onClose} />}
      {mandate.active && <DayInput label={t.plans.firstDebit} minDate={today()} withAsterisk data-autofocus {...form.getInputProps('premiere')} />}
      {unknown && <WholeInput label={t.plans.volume} description={t.plans.volumeHint} suffix={'\u00a0m³'} min={1} max={999_999} withAsterisk autoFocus {...form.getInputProps('volume_annuel_m3')} />}
      {preview && <Preview plan={preview} text={t.plans.regularisation} />}
    </Ask>
  )
}

function StopModal({ plan: p, onClose }: { plan: Plan; onClose: () => void }) {
  const t = useT().plans
  const [motif, setMotif] = useState('')
  const [error, setError] = useState<string | null>(null)
  const command = useCommand((body: { motif: string }, header) => ok(api.POST('/v1/echeanciers/{id}/arret', { params: { header, path: { id: p.id ?? '' } }, body })), () => (onClose(), done(t.stopped)))
  const left = list(p.echeances).filter((e) => e.etat !== 'PAYEE').length
  return (
    <Ask title={t.stopTitle[p.nature]} danger opened onClose={onClose} onSubmit={() => command.mutate({ motif: motif.trim() }, { onError: (problem) => setError(sentence(problem)) })} submit={t.stop} busy={command.isPending} error={error} disabled={!motif.trim()}>
      <Text size="sm">{p.par_prelevement ? t.stopDebits(left) : t.stopParts(left)} {p.nature === 'MENSUALISATION' ? t.stopMonthly : t.stopDue(euros(p.montant_centimes - p.paye_centimes))}</Text>
      <TextInput label={t.reason} required maxLength={200} data-autofocus value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />
    </Ask>
  )
}
