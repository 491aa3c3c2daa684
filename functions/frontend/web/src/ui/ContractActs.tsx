import { ActionIcon, Alert, Button, Group, Select, Stack, Text, TextInput, Textarea } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { addDays, day, euros, percent, today } from '../format'
import { useT } from '../i18n'
import { Ask, centimes, DayInput, done, EuroInput, showFields, WholeInput } from './forms'
import { IconX } from './icons'

interface Props {
  contrat: Schemas['Contrat']
  opened: boolean
  onClose: () => void
}

/** Ends a contract: the index of the last day, and where the last bill goes. */
export function EndModal({ contrat: c, opened, onClose }: Props) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const required = (v: string | null) => (v?.trim() ? null : t.form.required)
  const form = useForm({
    initialValues: { demandee_le: today() as string | null, date: today() as string | null, index: '' as number | '', adresse: { ...c.abonne.adresse } },
    validate: { demandee_le: required, date: required, index: (v) => (v === '' ? t.form.required : null), adresse: { voie: required, code_postal: required, commune: required } },
  })
  const command = useCommand(
    (body: Schemas['Resilier'], header) => ok(api.POST('/v1/contrats/{id}/resiliation', { params: { path: { id: c.id }, header }, body })),
    (ended) => {
      done(t.resiliations.ok(ended.numero))
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const v = form.values
    command.mutate({ demandee_le: v.demandee_le!, date: v.date!, index: Number(v.index), adresse: v.adresse }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  const demande = form.values.demandee_le
  return (
    <Ask title={t.resiliations.endTitle(c.numero)} danger opened={opened} onClose={onClose} onSubmit={submit} submit={t.resiliations.end} busy={command.isPending} error={error}>
      <DayInput label={t.resiliations.asked} withAsterisk maxDate={today()} {...form.getInputProps('demandee_le')} />
      <DayInput label={t.resiliations.date} description={t.resiliations.dateHint} withAsterisk maxDate={today()} {...form.getInputProps('date')} />
      <WholeInput label={t.resiliations.index} withAsterisk {...form.getInputProps('index')} />
      <TextInput label={t.resiliations.address} withAsterisk {...form.getInputProps('adresse.voie')} />
      <Group grow align="flex-start">
        <TextInput label={t.resiliations.postcode} withAsterisk {...form.getInputProps('adresse.code_postal')} />
        <TextInput label={t.resiliations.town} withAsterisk {...form.getInputProps('adresse.commune')} />
      </Group>
      <Alert color="eau" title={t.pieces.consequence}><Text size="sm">{t.resiliations.consequence(demande ? day(addDays(demande, 15)) : '')}</Text></Alert>
    </Ask>
  )
}

/** A bill of works and services. */
export function ManualBillModal({ contrat: c, opened, onClose }: Props) {
  const t = useT()
  const navigate = useNavigate()
  const [error, setError] = useState<string | null>(null)
  const catalogue = useQuery({ queryKey: ['prestations'], enabled: opened, queryFn: ({ signal }) => ok(api.GET('/v1/prestations', { signal })) })
  const now = list(catalogue.data?.prestations).filter((p) => p.du <= today() && (!p.au || p.au > today()))
  const blank = () => ({ prestation: '', libelle: '', quantite: 1 as number | '', prix: '' as number | '', taux: '200', compte: '7068' })
  const form = useForm({
    initialValues: { motif: '', echeance: addDays(today(), 30) as string | null, lignes: [blank()] },
    validate: { motif: (v) => (v.trim() ? null : t.form.required), echeance: (v) => (v ? null : t.form.required) },
  })
  const command = useCommand(
    (body: Schemas['EmettreManuelle'], header) => ok(api.POST('/v1/factures', { params: { header }, body })),
    (f) => {
      done(t.pieces.manualOk(f.numero ?? ''))
      onClose()
      void navigate({ to: `/factures/${f.id}` })
    },
  )
  const known = (code: string) => now.find((p) => p.code === code)
  const ht = form.values.lignes.reduce((sum, l) => sum + Number(l.quantite) * (known(l.prestation)?.prix_centimes ?? centimes(l.prix)), 0)
  const submit = () => {
    if (form.validate().hasErrors) return
    command.mutate(
      {
        contrat_id: c.id,
        motif: form.values.motif.trim(),
        echeance: form.values.echeance!,
        lignes: form.values.lignes.map((l) =>
          l.prestation ? { prestation: l.prestation, quantite: Number(l.quantite) } : { libelle: l.libelle, quantite: Number(l.quantite), prix_centimes: centimes(l.prix), tva_pm: Number(l.taux), compte: l.compte },
        ),
      },
      { onError: (problem) => setError(showFields(form, problem)) },
    )
  }
  return (
    <Ask title={t.pieces.manualTitle(c.numero)} size="xl" opened={opened} onClose={onClose} onSubmit={submit} submit={t.pieces.manualIssue(euros(ht))} busy={command.isPending} error={error} disabled={ht <= 0}>
      <Textarea label={t.pieces.manualMotif} withAsterisk data-autofocus autosize {...form.getInputProps('motif')} />
      <DayInput label={t.pieces.due} withAsterisk minDate={addDays(today(), 14)} {...form.getInputProps('echeance')} />
      <Stack gap="sm">
        {form.values.lignes.map((l, i) => (
          <Group key={i} align="flex-end" wrap="wrap" gap="xs">
            <Select w={200} label={t.pieces.service} placeholder={t.pieces.free} clearable data={now.map((p) => ({ value: p.code, label: `${p.libelle}, ${euros(p.prix_centimes)}` }))} {...form.getInputProps(`lignes.${i}.prestation`)} value={l.prestation || null} onChange={(v) => form.setFieldValue(`lignes.${i}.prestation`, v ?? '')} />
            {!l.prestation && (
              <>
                <TextInput style={{ flex: 1, minWidth: 160 }} label={t.pieces.label} {...form.getInputProps(`lignes.${i}.libelle`)} />
                <EuroInput w={120} label={t.pieces.unitPrice} {...form.getInputProps(`lignes.${i}.prix`)} />
                <Select w={110} label={t.facture.rate} allowDeselect={false} data={list(catalogue.data?.taux).map((r) => ({ value: String(r.taux_pm), label: percent(r.taux_pm) }))} {...form.getInputProps(`lignes.${i}.taux`)} />
                <Select w={200} label={t.pieces.account} allowDeselect={false} data={list(catalogue.data?.comptes).map((a) => ({ value: a.compte, label: `${a.compte} ${a.libelle}` }))} {...form.getInputProps(`lignes.${i}.compte`)} />
              </>
            )}
            <WholeInput w={90} label={t.pieces.quantity} min={1} {...form.getInputProps(`lignes.${i}.quantite`)} />
            {form.values.lignes.length > 1 && <ActionIcon variant="subtle" color="rouge" aria-label={t.pieces.removeLine} onClick={() => form.removeListItem('lignes', i)}><IconX size={16} /></ActionIcon>}
          </Group>
        ))}
        <Group><Button variant="default" size="compact-sm" onClick={() => form.insertListItem('lignes', blank())}>{t.pieces.addLine}</Button></Group>
      </Stack>
      <Text size="sm" c="dimmed">{t.pieces.manualConsequence}</Text>
    </Ask>
  )
}
