import { Alert, Button, Select, Stack, Stepper, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { intervention as interventionQuery } from '../api/queries'
import { can, useSession } from '../api/session'
import { address, day, fullName, integer, today } from '../format'
import { useT } from '../i18n'
import { Ask, DayInput, done, failed, showFields, WholeInput } from '../ui/forms'
import { IconCircleCheck, IconPhone } from '../ui/icons'
import { Card, Facts, Link, Page, PageOf } from '../ui/Page'
import { State } from '../ui/State'

type Order = Schemas['Intervention']
const over = (order: Order) => ['REALISEE', 'IMPOSSIBLE', 'ANNULEE'].includes(order.etat)
const path = (order: Order, header: { 'Idempotency-Key': string }) => ({ path: { id: order.id }, header })

/** An order of field work: for the office to assign, for the technician to do step by step. */
export default function InterventionPage() {
  const t = useT()
  const { id } = useParams({ strict: false }) as { id: string }
  const technician = useSession()?.utilisateur.role === 'technicien'
  return (
    <PageOf title={t.nav.interventions} query={useQuery(interventionQuery(id))}>
      {(order) => (
        <Page
          title={t.word.intervention[order.nature]}
          trail={[technician ? [t.terrain.title, '/terrain'] : [t.interventions.title, '/interventions']]}
          state={<State of="intervention" value={order.etat} />}
          subtitle={`${order.numero} · ${t.interventions.day.toLowerCase()} ${day(order.prevue_le)}`}
          width={760}
        >
          <Stack gap="lg">
            {!over(order) && can('interventions:m') && (technician ? <FieldSteps order={order} /> : <Assign order={order} />)}
            <Details order={order} />
            {over(order) && <Report order={order} />}
          </Stack>
        </Page>
      )}
    </PageOf>
  )
}

function Details({ order }: { order: Order }) {
  const t = useT()
  const phone = /\+?\d[\d .]{8,}\d/.exec(order.contact ?? '')?.[0]
  return (
    <Card>
      <Stack gap="md">
        {order.priorite && order.priorite !== 'NORMALE' && <div><State of="priorite" value={order.priorite} /></div>}
        <Facts
          items={[
            [t.interventions.place, address(order.adresse)],
            [t.abonne.pdl, order.pdl],
            order.compteur && [t.interventions.meter, order.compteur],
            order.contact && [t.interventions.contact, order.contact],
            [t.interventions.technician, order.nom_technicien ?? t.interventions.nobody],
            order.abonne_id && can('abonnes:l') && [t.facture.client, <Link key="a" to={`/abonnes/${order.abonne_id}`} inherit>{t.see}</Link>],
          ]}
        />
        {order.consigne && <Alert color="eau" title={t.interventions.order}>{order.consigne}</Alert>}
        {phone && !over(order) && <Button component="a" href={`tel:${phone.replace(/[ .]/g, '')}`} variant="default" size="lg" leftSection={<IconPhone size={20} />}>{t.terrain.call} {phone}</Button>}
      </Stack>
    </Card>
  )
}

function Report({ order }: { order: Order }) {
  const t = useT()
  const report = order.compte_rendu
  return (
    <Card title={t.interventions.report}>
      <Facts
        items={[
          report && [t.date, day(report.date)],
          report?.index !== undefined && [t.interventions.index, integer(report.index)],
          report?.observations && [t.interventions.notes, report.observations],
          report?.signataire && [t.interventions.signer, report.signataire],
          order.motif && [t.interventions.impossible, order.motif],
        ]}
      />
    </Card>
  )
}

function Assign({ order }: { order: Order }) {
  const t = useT()
  const may = can('utilisateurs:l') || can('interventions:c')
  const team = useQuery({ queryKey: ['utilisateurs', 'technicien'], queryFn: ({ signal }) => ok(api.GET('/v1/utilisateurs', { params: { query: { role: 'technicien', limite: 200 } }, signal })), enabled: may })
  const command = useCommand(
    (body: Schemas['AffecterIntervention'], header) => ok(api.POST('/v1/interventions/{id}/affectation', { params: path(order, header), body })),
    (_, { nom_technicien }) => done(t.interventions.assigned(nom_technicien)),
  )
  if (!may || !['PLANIFIEE', 'AFFECTEE'].includes(order.etat)) return null
  const users = list(team.data?.items)
  const choose = (technicien: string | null) => {
    const user = users.find((u) => u.id === technicien)
    if (user && user.id !== order.technicien) command.mutate({ technicien: user.id, nom_technicien: user.nom }, { onError: failed })
  }
  return (
    <Card>
      <Select label={t.interventions.assign} placeholder={t.interventions.nobody} data={users.map((u) => ({ value: u.id, label: u.nom }))} value={order.technicien ?? null} onChange={choose} disabled={command.isPending || team.isPending} allowDeselect={false} searchable />
    </Card>
  )
}

const next = { AFFECTEE: 'ACCEPTEE', ACCEPTEE: 'EN_ROUTE', EN_ROUTE: 'SUR_PLACE' } as const

/** What the technician does now: one large button at a time. */
function FieldSteps({ order }: { order: Order }) {
  const t = useT()
  const user = useSession()!.utilisateur
  const [impossible, declare] = useDisclosure()
  const take = useCommand(
    (body: Schemas['AffecterIntervention'], header) => ok(api.POST('/v1/interventions/{id}/affectation', { params: path(order, header), body })),
    () => done(t.terrain.taken),
  )
  const advance = useCommand((body: Schemas['AvancerIntervention'], header) => ok(api.POST('/v1/interventions/{id}/avancement', { params: path(order, header), body })))
  if (order.etat === 'PLANIFIEE')
    return <Button size="xl" fullWidth loading={take.isPending} onClick={() => take.mutate({ technicien: user.id, nom_technicien: fullName(user) }, { onError: failed })}>{t.terrain.take}</Button>
  const label = { AFFECTEE: t.terrain.accept, ACCEPTEE: t.terrain.go, EN_ROUTE: t.terrain.arrive }
  const step = ['AFFECTEE', 'ACCEPTEE', 'EN_ROUTE', 'SUR_PLACE'].indexOf(order.etat)
  const vers = next[order.etat as keyof typeof next]
  return (
    <Stack gap="md">
      <Stepper active={step} size="xs" iconSize={26} aria-label={t.terrain.step(step + 1)}>
        {t.terrain.steps.map((name, i) => <Stepper.Step key={name} {...(i === step ? { label: name } : { 'aria-label': name })} />)}
      </Stepper>
      {vers ? (
        <Button size="xl" fullWidth loading={advance.isPending} onClick={() => advance.mutate({ vers }, { onError: failed })}>{label[order.etat as keyof typeof label]}</Button>
      ) : (
        <ReportForm order={order} />
      )}
      <Button size="lg" variant="subtle" color="rouge" onClick={declare.open}>{t.terrain.impossible}</Button>
      <ImpossibleModal order={order} opened={impossible} onClose={declare.close} />
    </Stack>
  )
}

const indexed = ['OUVERTURE', 'FERMETURE', 'POSE', 'CHANGEMENT', 'RELEVE']

function ReportForm({ order }: { order: Order }) {
  const t = useT()
  const needed = indexed.includes(order.nature)
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { date: today(), index: '' as number | string, observations: '', signataire: '' },
    validate: { date: (v) => (v ? null : t.form.required), index: (v) => (needed && v === '' ? t.form.required : null) },
  })
  const command = useCommand(
    (body: Schemas['RealiserIntervention'], header) => ok(api.POST('/v1/interventions/{id}/compte-rendu', { params: path(order, header), body })),
    () => done(t.terrain.sent),
  )
  const submit = form.onSubmit(({ date, index, observations, signataire }) => {
    setError(null)
    command.mutate(
      { date, ...(index === '' ? {} : { index: Number(index) }), ...(observations.trim() && { observations: observations.trim() }), ...(signataire.trim() && { signataire: signataire.trim() }) },
      { onError: (problem) => setError(showFields(form, problem)) },
    )
  })
  return (
    <Card title={t.terrain.report}>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <WholeInput size="lg" inputMode="numeric" label={t.terrain.index} description={t.terrain.indexHint} withAsterisk={needed} {...form.getInputProps('index')} />
          <DayInput size="lg" label={t.terrain.date} maxDate={today()} withAsterisk {...form.getInputProps('date')} />
          <Textarea size="lg" label={t.terrain.notes} autosize minRows={2} maxLength={2000} {...form.getInputProps('observations')} />
          <TextInput size="lg" label={t.terrain.signer} maxLength={120} {...form.getInputProps('signataire')} />
          {error && <Alert color="rouge" role="alert">{error}</Alert>}
          <Button type="submit" size="xl" fz="lg" px="sm" fullWidth loading={command.isPending} leftSection={<IconCircleCheck size={22} />}>{t.terrain.submit}</Button>
        </Stack>
      </form>
    </Card>
  )
}

function ImpossibleModal({ order, opened, onClose }: { order: Order; opened: boolean; onClose: () => void }) {
  const t = useT()
  const [motif, setMotif] = useState('')
  const command = useCommand(
    (body: Schemas['DeclarerImpossible'], header) => ok(api.POST('/v1/interventions/{id}/impossibilite', { params: path(order, header), body })),
    () => {
      done(t.terrain.declared)
      onClose()
    },
  )
  return (
    <Ask title={t.terrain.impossible} danger opened={opened} onClose={onClose} onSubmit={() => command.mutate({ motif: motif.trim() })} submit={t.terrain.declare} busy={command.isPending} disabled={!motif.trim()} error={command.error?.message}>
      <Textarea size="md" label={t.terrain.why} description={t.terrain.whyHint} withAsterisk data-autofocus autosize minRows={2} maxLength={400} value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />
    </Ask>
  )
}
