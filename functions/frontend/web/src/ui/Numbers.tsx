import { Button, Text, TextInput } from '@mantine/core'
import { useForm, type UseFormReturnType } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { api, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { fullName } from '../format'
import { useT } from '../i18n'
import { Ask, done, showFields } from './forms'

const digits = (s: string) => s.replace(/[\s.\u00a0\u202f-]/g, '')

/** The last digit checks the others (ISO/IEC 7812-1). */
const luhn = (s: string) => [...s].reverse().reduce((sum, c, i) => sum + (i % 2 ? (Number(c) * 2 > 9 ? Number(c) * 2 - 9 : Number(c) * 2) : Number(c)), 0) % 10 === 0

/** Whether a text can be a SIREN, and a SIRET; the server has the last word. */
export const siren = (s: string) => /^\d{9}$/.test(digits(s)) && luhn(digits(s))
export const siret = (s: string) => {
  const n = digits(s)
  // An establishment of La Poste is checked by the sum of its digits.
  return /^\d{14}$/.test(n) && siren(n.slice(0, 9)) && (luhn(n) || (n.startsWith('356000000') && [...n].reduce((sum, c) => sum + Number(c), 0) % 5 === 0))
}

/** The numbers of an organisation, in a form that holds them at a path. */
export function Numbers({ form, at }: { form: Pick<UseFormReturnType<any>, 'getInputProps'>; at: string }) {
  const t = useT()
  return (
    <>
      <TextInput label="SIREN" description={t.abonne.sirenHint} inputWrapperOrder={['label', 'input', 'description', 'error']} inputMode="numeric" maxLength={20} {...form.getInputProps(`${at}siren`)} />
      <TextInput label="SIRET" description={t.abonne.siretHint} inputWrapperOrder={['label', 'input', 'description', 'error']} inputMode="numeric" maxLength={25} {...form.getInputProps(`${at}siret`)} />
      <TextInput label={t.abonne.tva} maxLength={20} {...form.getInputProps(`${at}numero_tva`)} />
    </>
  )
}

/** Sets the numbers of an organisation that is known. */
export function Identity({ abonne }: { abonne: Schemas['Abonne'] }) {
  const t = useT()
  const [opened, open] = useDisclosure()
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={open.open}>{t.abonne.identify}</Button>
      {opened && <IdentityModal abonne={abonne} onClose={open.close} />}
    </>
  )
}

function IdentityModal({ abonne, onClose }: { abonne: Schemas['Abonne']; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { siren: abonne.siren ?? '', siret: abonne.siret ?? '', numero_tva: abonne.numero_tva ?? '' },
    validateInputOnBlur: true,
    validate: { siren: (v) => (v && !siren(v) ? t.form.siren : null), siret: (v) => (v && !siret(v) ? t.form.siret : null) },
  })
  const command = useCommand(
    (body: Omit<Schemas['IdentifierAbonne'], 'abonne_id'>, header) => ok(api.POST('/v1/abonnes/{id}/identite', { params: { path: { id: abonne.id }, header }, body })),
    () => {
      done(t.abonne.identified)
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const body = Object.fromEntries(Object.entries(form.values).filter(([, v]) => v !== ''))
    command.mutate(body, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={fullName(abonne)} opened onClose={onClose} onSubmit={submit} submit={t.abonne.identifySave} busy={command.isPending} error={error}>
      <Numbers form={form} at="" />
      <Text size="sm" c="dimmed">{t.abonne.identifyHint}</Text>
    </Ask>
  )
}
