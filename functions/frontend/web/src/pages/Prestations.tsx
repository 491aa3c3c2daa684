import { Button, Select, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, dayBefore, euros, percent, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, centimes, DayInput, done, EuroInput, showFields } from '../ui/forms'
import { IconCoinEuro } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Page } from '../ui/Page'

/** What the service charges besides water: prices over dates, each with the decision that set it. */
export default function Prestations() {
  const t = useT()
  const [adding, add] = useDisclosure()
  const { data, error, refetch } = useQuery({ queryKey: ['prestations'], queryFn: ({ signal }) => ok(api.GET('/v1/prestations', { signal })) })
  return (
    <Page title={t.prestations.title} actions={can('tarifs:c') && <Button onClick={add.open}>{t.prestations.add}</Button>}>
      <Card flush>
        <DataTable
          label={t.prestations.title}
          rows={data && list(data.prestations)}
          error={error}
          refetch={refetch}
          id={(p) => p.id}
          columns={[
            { title: t.prestations.label, head: true, cell: (p) => <>{p.libelle}<div className="soft">{p.code}</div></> },
            { title: t.prestations.dates, cell: (p) => (p.au ? `${day(p.du)} – ${dayBefore(p.au)}` : t.prestations.since(day(p.du))) },
            { title: t.prestations.price, num: true, cell: (p) => euros(p.prix_centimes) },
            { title: t.facture.rate, num: true, cell: (p) => percent(p.tva_pm) },
            { title: t.pieces.account, num: true, wide: true, cell: (p) => p.compte },
            { title: t.prestations.source, wide: true, cell: (p) => p.source },
          ]}
          empty={<Empty icon={IconCoinEuro} title={t.prestations.empty} />}
        />
      </Card>
      {adding && data && <AddModal catalogue={data} onClose={add.close} />}
    </Page>
  )
}

function AddModal({ catalogue, onClose }: { catalogue: Schemas['CataloguePrestations']; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const required = (v: string | null) => (v?.trim() ? null : t.form.required)
  const form = useForm({
    initialValues: { code: '', libelle: '', du: today() as string | null, prix: '' as number | '', tva_pm: '200', compte: '7068', source: '' },
    validate: { code: required, libelle: required, du: required, prix: (v) => (Number(v) > 0 ? null : t.form.required), source: required },
  })
  const command = useCommand(
    (body: Schemas['DefinirPrestation'], header) => ok(api.POST('/v1/prestations', { params: { header }, body })),
    (p) => {
      done(t.prestations.ok(p.libelle))
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const { prix, tva_pm, du, ...v } = form.values
    command.mutate({ ...v, du: du!, tva_pm: Number(tva_pm), prix_centimes: centimes(prix) }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.prestations.add} opened onClose={onClose} onSubmit={submit} submit={t.prestations.save} busy={command.isPending} error={error}>
      <TextInput label={t.prestations.code} withAsterisk data-autofocus {...form.getInputProps('code')} />
      <TextInput label={t.prestations.label} withAsterisk {...form.getInputProps('libelle')} />
      <DayInput label={t.prestations.from} withAsterisk {...form.getInputProps('du')} />
      <EuroInput label={t.prestations.price} withAsterisk {...form.getInputProps('prix')} />
      <Select label={t.facture.rate} allowDeselect={false} data={list(catalogue.taux).map((r) => ({ value: String(r.taux_pm), label: `${percent(r.taux_pm)} · ${r.libelle}` }))} {...form.getInputProps('tva_pm')} />
      <Select label={t.pieces.account} allowDeselect={false} data={list(catalogue.comptes).map((a) => ({ value: a.compte, label: `${a.compte} ${a.libelle}` }))} {...form.getInputProps('compte')} />
      <TextInput label={t.prestations.source} withAsterisk {...form.getInputProps('source')} />
      <Text size="sm" c="dimmed">{t.prestations.consequence}</Text>
    </Ask>
  )
}
