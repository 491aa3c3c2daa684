import { Alert, Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useRouter, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { asProblem } from '../api/problem'
import { logIn } from '../api/session'
import { useT } from '../i18n'
import { homeOf } from '../shell/nav'
import { Welcome } from '../shell/Welcome'

export default function Login() {
  const t = useT()
  const router = useRouter()
  const { vers } = useSearch({ strict: false })
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const form = useForm({
    initialValues: { identifiant: '', mot_de_passe: '' },
    validate: { identifiant: (v) => (v.trim() ? null : t.form.required), mot_de_passe: (v) => (v ? null : t.form.required) },
  })
  useEffect(() => {
    document.title = `${t.login.title} · AquaERP`
  }, [t])
  const submit = form.onSubmit(async ({ identifiant, mot_de_passe }) => {
    setBusy(true)
    setError('')
    try {
      const { utilisateur } = await logIn(identifiant.trim(), mot_de_passe)
      router.history.push(vers ?? homeOf(utilisateur.role))
    } catch (e) {
      setError(asProblem(e).message)
      setBusy(false)
    }
  })
  return (
    <Welcome>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Title order={1}>{t.login.title}</Title>
          {error && <Alert color="rouge" role="alert">{error}</Alert>}
          {!error && vers && <Text size="sm" c="dimmed">{t.login.ended}</Text>}
          <TextInput label={t.login.email} type="email" name="identifiant" autoComplete="username" autoFocus size="md" {...form.getInputProps('identifiant')} />
          <PasswordInput label={t.login.password} name="mot_de_passe" autoComplete="current-password" size="md" {...form.getInputProps('mot_de_passe')} />
          <Button type="submit" size="md" loading={busy} fullWidth>{t.login.submit}</Button>
          <Text size="sm" c="dimmed">{t.login.lost}</Text>
        </Stack>
      </form>
    </Welcome>
  )
}
