import { Alert, Button, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useRouter, useRouterState } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { asProblem } from '../api/problem'
import { acceptInvitation } from '../api/session'
import { useT } from '../i18n'
import { homeOf } from '../shell/nav'
import { Welcome } from '../shell/Welcome'
import { sentence } from '../ui/forms'
import { Empty } from '../ui/Loaded'

export default function Invitation() {
  const t = useT()
  const router = useRouter()
  // In the fragment, which no server and no log sees.
  const jeton = useRouterState({ select: (state) => state.location.hash })
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const form = useForm({
    initialValues: { password: '', again: '' },
    validateInputOnBlur: true,
    validate: { password: (v) => (v.length < 12 ? t.form.password : null), again: (v, all) => (v === all.password ? null : t.form.mismatch) },
  })
  useEffect(() => {
    document.title = `${t.invitation.title} · AquaERP`
  }, [t])
  if (!jeton) return <Welcome><Title order={1} size="h2" ta="center">{t.invitation.missing}</Title><Empty title="">{t.invitation.missingHint}</Empty></Welcome>
  const submit = form.onSubmit(async ({ password }) => {
    setBusy(true)
    setError('')
    try {
      const { utilisateur } = await acceptInvitation(jeton, password)
      router.history.push(homeOf(utilisateur.role))
    } catch (e) {
      const problem = asProblem(e)
      setError(sentence(problem))
      setBusy(false)
    }
  })
  return (
    <Welcome>
      <form onSubmit={submit} noValidate>
        <Stack gap="md">
          <Title order={1}>{t.invitation.title}</Title>
          <Text size="sm" c="dimmed">{t.invitation.text}</Text>
          {error && <Alert color="rouge" role="alert">{error}</Alert>}
          <PasswordInput label={t.invitation.password} description={t.invitation.hint} name="password" autoComplete="new-password" autoFocus size="md" {...form.getInputProps('password')} />
          <PasswordInput label={t.invitation.again} name="again" autoComplete="new-password" size="md" {...form.getInputProps('again')} />
          <Button type="submit" size="md" loading={busy} fullWidth>{t.invitation.submit}</Button>
        </Stack>
      </form>
    </Welcome>
  )
}
