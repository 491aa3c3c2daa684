import { Button, PasswordInput, Select, Stack, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { api, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, done, showFields } from '../ui/forms'
import { IconUserPlus } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Page } from '../ui/Page'
import { State } from '../ui/State'

export default function Utilisateurs() {
  const t = useT()
  const [creating, create] = useDisclosure()
  const pages = usePages(['utilisateurs', 'list'], (curseur, signal) => ok(api.GET('/v1/utilisateurs', { params: { query: { curseur } }, signal })))
  return (
    <Page title={t.utilisateurs.title} actions={can('utilisateurs:c') && <Button leftSection={<IconUserPlus size={16} />} onClick={create.open}>{t.utilisateurs.create}</Button>}>
      <Card flush>
        <DataTable
          label={t.utilisateurs.title}
          {...pages}
          id={(u) => u.id}
          columns={[
            { title: t.utilisateurs.name, head: true, cell: (u) => u.nom },
            { title: t.utilisateurs.email, cell: (u) => u.identifiant },
            { title: t.utilisateurs.role, cell: (u) => t.role[u.role] ?? u.role },
            { title: t.abonne.state, cell: (u) => <State of="utilisateur" value={u.etat} /> },
          ]}
          empty={<Empty title={t.utilisateurs.empty} />}
        />
      </Card>
      <CreateModal opened={creating} onClose={create.close} />
    </Page>
  )
}

// Subscribers are invited when their contract becomes active; they are not made here.
const roles = ['administrateur', 'superviseur', 'conseiller', 'technicien', 'comptable']

function CreateModal({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { nom: '', identifiant: '', role: 'conseiller', mot_de_passe: '' },
    validateInputOnBlur: true,
    validate: {
      nom: (v) => (v.trim() ? null : t.form.required),
      identifiant: (v) => (/^\S+@\S+\.\S+$/.test(v) ? null : t.form.email),
      mot_de_passe: (v) => (v.length >= 12 ? null : t.form.password),
    },
  })
  const close = () => {
    form.reset()
    setError(null)
    onClose()
  }
  const command = useCommand(
    (body: Schemas['CreerUtilisateur'], header) => ok(api.POST('/v1/utilisateurs', { params: { header }, body })),
    (user) => {
      done(t.utilisateurs.ok(user.nom))
      close()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    command.mutate({ ...form.values, nom: form.values.nom.trim(), identifiant: form.values.identifiant.trim() }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.utilisateurs.create} opened={opened} onClose={close} onSubmit={submit} submit={t.utilisateurs.submit} busy={command.isPending} error={error}>
      <Stack gap="sm">
        <TextInput label={t.utilisateurs.name} withAsterisk data-autofocus maxLength={120} {...form.getInputProps('nom')} />
        <TextInput label={t.utilisateurs.email} withAsterisk type="email" autoComplete="off" {...form.getInputProps('identifiant')} />
        <Select label={t.utilisateurs.role} data={roles.map((value) => ({ value, label: t.role[value] ?? value }))} allowDeselect={false} {...form.getInputProps('role')} />
        <PasswordInput label={t.utilisateurs.password} description={t.utilisateurs.passwordHint} withAsterisk autoComplete="new-password" {...form.getInputProps('mot_de_passe')} />
      </Stack>
    </Ask>
  )
}
