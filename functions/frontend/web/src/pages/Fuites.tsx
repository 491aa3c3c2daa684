import { Alert, Button, Select, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { cubicMetres, day, euros, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, DayInput, done, showFields } from '../ui/forms'
import { IconAlertTriangle, IconDroplet } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Link, Page } from '../ui/Page'
import { State } from '../ui/State'
import { StateFilter } from '../ui/StateFilter'

type Fuite = Schemas['Fuite']

/** Leaks after the meter, with the day by which each needs its certificate. */
export default function Fuites() {
  const t = useT()
  const etat = (useSearch({ strict: false }) as { etat?: Fuite['etat'] }).etat
  const [attested, attest] = useState<Fuite | null>(null)
  const pages = usePages(['fuites', 'list', etat], (curseur, signal) => ok(api.GET('/v1/fuites', { params: { query: { etat, curseur } }, signal })))
  return (
    <Page title={t.fuites.title} subtitle={t.fuites.hint} actions={<StateFilter of="fuite" states={['OUVERTE', 'ATTESTEE', 'CLASSEE']} value={etat} />}>
      <Card flush>
        <DataTable
          label={t.fuites.title}
          {...pages}
          id={(f) => f.id}
          columns={[
            { title: t.fuites.who, head: true, cell: (f) => <>{can('abonnes:l') ? <Link to={`/abonnes/${f.abonne_id}`} inherit fw={600}>{f.nom}</Link> : f.nom}<div className="soft">{f.lieu}</div></> },
            { title: t.facture.period, wide: true, cell: (f) => `${day(f.du)} – ${day(f.au)}` },
            { title: t.fuites.volume, num: true, cell: (f) => cubicMetres(f.volume_litres) },
            { title: t.fuites.usual, num: true, wide: true, cell: (f) => <>{cubicMetres(f.moyenne_litres)}{f.reference !== 'ABONNE' && <div className="soft">{t.fuites.comparable}</div>}</> },
            { title: t.fuites.until, num: true, cell: (f) => <span data-tone={f.etat === 'OUVERTE' && f.jusqua < today() ? 'bad' : undefined}>{day(f.jusqua)}</span> },
            { title: t.abonne.state, cell: (f) => <State of="fuite" value={f.etat} /> },
            {
              title: t.fuites.outcome,
              cell: (f) =>
                f.avoir ? <><Link to={`/factures/${f.avoir_id}`} inherit>{f.avoir}</Link><div className="soft">{euros(f.avoir_centimes ?? 0)}</div></>
                : f.etat === 'ATTESTEE' ? t.fuites.byLot
                : can('factures:m') ? <Button size="compact-sm" variant="default" onClick={() => attest(f)}>{t.fuites.attest}</Button>
                : null,
            },
          ]}
          empty={<Empty icon={IconDroplet} title={t.fuites.empty} />}
        />
      </Card>
      {attested && <AttestModal key={attested.id} fuite={attested} onClose={() => attest(null)} />}
    </Page>
  )
}

function AttestModal({ fuite: f, onClose }: { fuite: Fuite; onClose: () => void }) {
  const t = useT()
  const [preview, setPreview] = useState<Fuite | null>(null)
  const [error, setError] = useState<string | null>(null)
  const required = (v: string | null) => (v?.trim() ? null : t.form.required)
  const form = useForm({
    initialValues: { recue_le: today() as string | null, reparation_le: null as string | null, lieu: '', plombier: '', cause: 'CANALISATION' as Schemas['AttesterFuite']['cause'] },
    validate: { recue_le: required, reparation_le: required, lieu: required, plombier: required },
    onValuesChange: () => {
      setPreview(null)
      setError(null)
    },
  })
  const command = useCommand(
    (body: Schemas['AttesterFuite'], header) => ok(api.POST('/v1/fuites/{id}/attestation', { params: { path: { id: f.id }, header }, body })),
    (got) => {
      if (got.etat !== 'ATTESTEE') return setPreview(got)
      done(t.fuites.ok)
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const v = form.values
    command.mutate({ ...v, recue_le: v.recue_le!, reparation_le: v.reparation_le!, simulation: !preview }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.fuites.attestTitle(f.nom)} opened onClose={onClose} onSubmit={submit} submit={preview ? t.fuites.record : t.pieces.preview} busy={command.isPending} error={error}>
      <Text size="sm">{t.fuites.law(day(f.jusqua))}</Text>
      <DayInput label={t.fuites.received} withAsterisk maxDate={today()} {...form.getInputProps('recue_le')} />
      <DayInput label={t.fuites.repaired} withAsterisk maxDate={today()} {...form.getInputProps('reparation_le')} />
      <TextInput label={t.fuites.place} withAsterisk {...form.getInputProps('lieu')} />
      <TextInput label={t.fuites.plumber} withAsterisk {...form.getInputProps('plombier')} />
      <Select
        label={t.fuites.cause}
        allowDeselect={false}
        data={Object.entries(t.fuites.causes).map(([value, label]) => ({ value, label }))}
        {...form.getInputProps('cause')}
      />
      {preview && (
        <Alert color="eau" icon={<IconAlertTriangle size={18} aria-hidden />} title={t.pieces.consequence}>
          {preview.avoir_centimes ? t.fuites.willAvoir(preview.facture ?? '', euros(-preview.avoir_centimes), cubicMetres(preview.plafond_litres), cubicMetres(preview.moyenne_litres)) : t.fuites.willCap(cubicMetres(preview.plafond_litres))}
        </Alert>
      )}
    </Ask>
  )
}
