import { Button, Checkbox, Group, Stack, Text, TextInput, Timeline } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { mandats } from '../api/queries'
import { can } from '../api/session'
import { day, instant, today } from '../format'
import { useT } from '../i18n'
import { Ask, DayInput, done, showFields } from './forms'
import { IconEye } from './icons'
import { Loaded } from './Loaded'
import { Card, Facts } from './Page'
import { State } from './State'

type Mandat = Schemas['Mandat']

/** The mandates of an abonne: their accounts are masked until a person says why they must see one. */
export function Mandats({ id, titulaire }: { id: string; titulaire: string }) {
  const t = useT()
  const query = useQuery(mandats(id))
  const [act, setAct] = useState<{ what: 'sign' } | { what: 'change' | 'revoke' | 'show'; mandat: Mandat } | null>(null)
  const close = () => setAct(null)
  const living = list(query.data?.items).some((m) => m.etat === 'ACTIF')
  return (
    <Card title={t.mandat.title} aside={query.data && !living && can('prelevements:c') && <Button variant="default" size="compact-sm" onClick={() => setAct({ what: 'sign' })}>{t.mandat.sign}</Button>}>
      <Loaded query={query} rows={2}>
        {({ items }) =>
          list(items).length === 0 ? (
            <Text size="sm" c="dimmed">{t.mandat.none}</Text>
          ) : (
            <Stack gap="lg">
              {list(items).map((m) => (
                <Stack key={m.id} gap="xs">
                  <Group justify="space-between"><Text fw={600} className="id">{m.rum}</Text><State of="mandat" value={m.etat} /></Group>
                  <Facts items={[[t.mandat.iban, m.iban_masque], [t.mandat.holder, m.titulaire], [t.mandat.signed, day(m.signe_le)], m.dernier_prelevement && [t.mandat.last, day(m.dernier_prelevement)], m.caduc_le && [t.mandat.lapses, day(m.caduc_le)]]} />
                  <Group gap="xs">
                    {can('prelevements:e') && <Button size="compact-sm" variant="subtle" leftSection={<IconEye size={14} />} onClick={() => setAct({ what: 'show', mandat: m })}>{t.mandat.show}</Button>}
                    {m.etat === 'ACTIF' && can('prelevements:m') && <Button size="compact-sm" variant="subtle" onClick={() => setAct({ what: 'change', mandat: m })}>{t.mandat.change}</Button>}
                    {m.etat === 'ACTIF' && can('prelevements:m') && <Button size="compact-sm" variant="subtle" color="rouge" onClick={() => setAct({ what: 'revoke', mandat: m })}>{t.mandat.revoke}</Button>}
                  </Group>
                  {list(m.evenements).length > 0 && (
                    <Timeline bulletSize={12} lineWidth={1} aria-label={t.mandat.history}>
                      {list(m.evenements).slice(0, 6).map((e, i) => (
                        <Timeline.Item key={i}>
                          <Text size="sm">{t.mandat.events[e.action] ?? e.action}{e.detail && ` : ${e.detail}`}</Text>
                          <Text size="xs" c="dimmed">{instant(e.instant)}</Text>
                        </Timeline.Item>
                      ))}
                    </Timeline>
                  )}
                </Stack>
              ))}
            </Stack>
          )
        }
      </Loaded>
      {act?.what === 'sign' && <Sign id={id} titulaire={titulaire} onClose={close} />}
      {act?.what === 'change' && <Change mandat={act.mandat} onClose={close} />}
      {act?.what === 'revoke' && <Revoke mandat={act.mandat} onClose={close} />}
      {act?.what === 'show' && <Show mandat={act.mandat} onClose={close} />}
    </Card>
  )
}

function Sign({ id, titulaire, onClose }: { id: string; titulaire: string; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { titulaire, iban: '', bic: '', signe_le: today(), rum: '', unique: false } })
  const command = useCommand((body: Schemas['SignerMandat'], header) => ok(api.POST('/v1/mandats', { params: { header }, body })), () => (onClose(), done(t.mandat.ok)))
  const submit = () => {
    setError(null)
    const { bic, rum, ...rest } = form.values
    command.mutate({ ...rest, abonne_id: id, bic: bic || undefined, rum: rum || undefined }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.mandat.sign} opened onClose={onClose} submit={t.mandat.sign} busy={command.isPending} error={error} onSubmit={submit}>
      <TextInput label={t.mandat.holder} required maxLength={70} {...form.getInputProps('titulaire')} />
      <TextInput label={t.mandat.iban} required maxLength={42} autoComplete="off" data-autofocus {...form.getInputProps('iban')} />
      <TextInput label={t.mandat.bic} maxLength={11} {...form.getInputProps('bic')} />
      <DayInput label={t.mandat.signed} maxDate={today()} {...form.getInputProps('signe_le')} />
      <TextInput label={t.mandat.rum} description={t.mandat.rumHint} maxLength={35} {...form.getInputProps('rum')} />
      <Checkbox label={t.mandat.unique} {...form.getInputProps('unique', { type: 'checkbox' })} />
    </Ask>
  )
}

function Change({ mandat, onClose }: { mandat: Mandat; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { titulaire: mandat.titulaire, iban: '', bic: '' } })
  const command = useCommand((body: { titulaire: string; iban: string; bic?: string }, header) => ok(api.POST('/v1/mandats/{id}/modification', { params: { header, path: { id: mandat.id } }, body })), () => (onClose(), done(t.mandat.changed)))
  return (
    <Ask title={t.mandat.change} opened onClose={onClose} submit={t.mandat.change} busy={command.isPending} error={error} onSubmit={() => (setError(null), command.mutate({ ...form.values, bic: form.values.bic || undefined }, { onError: (problem) => setError(showFields(form, problem)) }))}>
      <TextInput label={t.mandat.holder} required maxLength={70} {...form.getInputProps('titulaire')} />
      <TextInput label={t.mandat.iban} required maxLength={42} autoComplete="off" data-autofocus {...form.getInputProps('iban')} />
      <TextInput label={t.mandat.bic} maxLength={11} {...form.getInputProps('bic')} />
    </Ask>
  )
}

function Revoke({ mandat, onClose }: { mandat: Mandat; onClose: () => void }) {
  const t = useT()
  const [motif, setMotif] = useState('')
  const [error, setError] = useState<string | null>(null)
  const command = useCommand((body: { motif: string }, header) => ok(api.POST('/v1/mandats/{id}/revocation', { params: { header, path: { id: mandat.id } }, body })), () => (onClose(), done(t.mandat.revoked)))
  return (
    <Ask title={t.mandat.revoke} opened danger onClose={onClose} submit={t.mandat.revoke} busy={command.isPending} error={error} disabled={!motif.trim()} onSubmit={() => command.mutate({ motif: motif.trim() }, { onError: (problem) => setError(problem.message) })}>
      <Text size="sm">{t.mandat.revokeText}</Text>
      <TextInput label={t.mandat.reason} required maxLength={200} data-autofocus value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />
    </Ask>
  )
}

function Show({ mandat, onClose }: { mandat: Mandat; onClose: () => void }) {
  const t = useT()
  const [motif, setMotif] = useState('')
  const [error, setError] = useState<string | null>(null)
  const command = useCommand((body: { motif: string }, header) => ok(api.POST('/v1/mandats/{id}/iban', { params: { header, path: { id: mandat.id } }, body })))
  const iban = command.data?.iban.replace(/(.{4})/g, '$1 ')
  return (
    <Ask title={t.mandat.show} opened onClose={onClose} submit={t.mandat.show} busy={command.isPending} error={error} disabled={!motif.trim() || Boolean(iban)} onSubmit={() => command.mutate({ motif: motif.trim() }, { onError: (problem) => setError(problem.message) })}>
      <Text size="sm">{t.mandat.showText}</Text>
      <TextInput label={t.mandat.reason} required maxLength={200} data-autofocus value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />
      {iban && <Text fw={600} className="id" role="status">{iban}</Text>}
    </Ask>
  )
}
