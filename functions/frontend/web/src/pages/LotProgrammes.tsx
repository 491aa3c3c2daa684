import { Alert, Button, NumberInput, Select, SimpleGrid, Stack, Switch, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, today } from '../format'
import { lang, useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, DayInput, showFields } from '../ui/forms'
import { Card } from '../ui/Page'

type Programme = Schemas['Programme']

/** The calendars that prepare lots. */
export function LotProgrammes() {
  const t = useT().programme
  const [edited, edit] = useState<Partial<Programme> | null>(null)
  const query = useQuery({ queryKey: ['programmes'], queryFn: ({ signal }) => ok(api.GET('/v1/programmes-lots', { signal })) })
  const rows = list(query.data?.items)
  if (query.data && rows.length === 0 && !can('lots:c')) return null
  return (
    <Card title={t.title} hint={t.hint} aside={can('lots:c') && <Button variant="default" size="compact-sm" onClick={() => edit({})}>{t.add}</Button>} flush={rows.length > 0}>
      {rows.length > 0 && (
        <DataTable
          label={t.title}
          rows={rows}
          id={(p) => p.id ?? p.libelle}
          columns={[
            { title: t.name, head: true, cell: (p) => p.libelle },
            { title: t.rhythm, wide: true, cell: (p) => t.months[String(p.mois)] },
            { title: t.extent, wide: true, cell: (p) => [p.commune, p.profil, p.secteur].filter(Boolean).join(', ') || t.all },
            { title: t.next, cell: (p) => (p.actif ? day(p.prochain_lot) : t.off) },
            { title: t.obstacle, wide: true, cell: (p) => (lang() === 'en' ? p.empechement_en : p.empechement) || '–' },
            { title: '', cell: (p) => can('lots:c') && <Button variant="subtle" size="compact-sm" aria-label={`${t.change} ${p.libelle}`} onClick={() => edit(p)}>{t.change}</Button> },
          ]}
          empty={null}
        />
      )}
      {edited && <Edit programme={edited} onClose={() => edit(null)} />}
    </Card>
  )
}

function Edit({ programme: p, onClose }: { programme: Partial<Programme>; onClose: () => void }) {
  const t = useT().programme
  const required = useT().form.required
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: {
      libelle: p.libelle ?? '', mois: String(p.mois ?? 6), prochain_du: p.prochain_du ?? `${today().slice(0, 7)}-01`, delai_jours: p.delai_jours ?? 10, echeance_jours: p.echeance_jours ?? 30,
      commune: p.commune ?? '', profil: p.profil ?? '', secteur: p.secteur ?? '', actif: p.actif ?? true,
    },
    validate: { libelle: (v) => (v.trim() ? null : required), prochain_du: (v) => (v ? null : required) },
  })
  const command = useCommand((body: Schemas['DefinirProgramme'], header) => ok(api.POST('/v1/programmes-lots', { params: { header }, body })), onClose)
  const submit = () => {
    if (form.validate().hasErrors) return
    setError(null)
    const { mois, ...rest } = form.values
    command.mutate({ ...rest, mois: Number(mois) as Schemas['DefinirProgramme']['mois'], ...(p.id ? { id: p.id } : {}) }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={p.id ? t.edit : t.add} size="lg" opened onClose={onClose} onSubmit={submit} submit={t.save} busy={command.isPending} error={error}>
      <Stack gap="sm">
        <TextInput label={t.name} withAsterisk maxLength={60} data-autofocus {...form.getInputProps('libelle')} />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select label={t.rhythm} allowDeselect={false} data={['1', '2', '3', '4', '6', '12'].map((value) => ({ value, label: t.months[value] ?? value }))} {...form.getInputProps('mois')} />
          <DayInput label={t.from} withAsterisk {...form.getInputProps('prochain_du')} />
          <NumberInput label={t.delay} min={0} max={90} {...form.getInputProps('delai_jours')} />
          <NumberInput label={t.due} min={14} max={120} {...form.getInputProps('echeance_jours')} />
          <TextInput label={t.commune} maxLength={5} {...form.getInputProps('commune')} />
          <TextInput label={t.profil} maxLength={40} {...form.getInputProps('profil')} />
          <TextInput label={t.secteur} maxLength={80} {...form.getInputProps('secteur')} />
        </SimpleGrid>
        <Switch label={t.active} {...form.getInputProps('actif', { type: 'checkbox' })} />
        <Alert color="gray">{t.second}</Alert>
      </Stack>
    </Ask>
  )
}
