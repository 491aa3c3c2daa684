import { Select, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { euros, today } from '../format'
import { useT } from '../i18n'
import { Ask, centimes, DayInput, done, EuroInput, showFields } from './forms'

interface Props {
  opened: boolean
  onClose: () => void
  abonne: string
  /** The bill to pay, and what is left of it. */
  reference?: string
  reste?: number
}

export function PayModal({ opened, onClose, abonne, reference, reste }: Props) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { montant_centimes: (reste && reste > 0 ? reste / 100 : '') as number | string, mode: 'CHEQUE', recu_le: today(), reference: reference ?? '' },
    validate: { montant_centimes: (v) => (Number(v) > 0 ? null : t.form.positive), recu_le: (v) => (v ? null : t.form.required) },
  })
  const close = () => {
    form.reset()
    setError(null)
    onClose()
  }
  const command = useCommand(
    (body: Schemas['EnregistrerPaiement'], header) => ok(api.POST('/v1/paiements', { params: { header }, body })),
    (paiement) => {
      const parts = list(paiement.lettrages).map((l) => t.pay.matched(l.numero, euros(l.montant_centimes)))
      if (paiement.avance_centimes > 0) parts.push(t.pay.advance(euros(paiement.avance_centimes)))
      done([t.pay.ok(euros(paiement.montant_centimes)), parts.join(', ')].join(' '))
      close()
    },
  )
  const amount = centimes(form.values.montant_centimes)
  const submit = () => {
    if (form.validate().hasErrors) return
    const { mode, recu_le, reference } = form.values
    setError(null)
    command.mutate(
      { mode: mode as Schemas['EnregistrerPaiement']['mode'], recu_le, montant_centimes: amount, ...(reference.trim() ? { reference: reference.trim() } : { abonne_id: abonne }) },
      { onError: (problem) => setError(showFields(form, problem)) },
    )
  }
  return (
    <Ask title={t.pay.title} opened={opened} onClose={close} onSubmit={submit} submit={t.pay.submit} busy={command.isPending} error={error}>
      <Stack gap="sm">
        <EuroInput label={t.pay.amount} data-autofocus withAsterisk key={form.key('montant_centimes')} {...form.getInputProps('montant_centimes')} data-path="montant_centimes" />
        <Select label={t.pay.mode} data={Object.entries(t.word.mode).map(([value, label]) => ({ value, label }))} allowDeselect={false} {...form.getInputProps('mode')} />
        <DayInput label={t.pay.date} maxDate={today()} withAsterisk {...form.getInputProps('recu_le')} />
        <TextInput label={t.pay.reference} description={t.pay.referenceHint} {...form.getInputProps('reference')} />
        {amount > 0 && <Text size="sm" c="dimmed">{t.pay.consequence(euros(amount))}</Text>}
      </Stack>
    </Ask>
  )
}
