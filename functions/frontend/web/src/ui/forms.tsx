import { Alert, Button, Group, Modal, NumberInput, type NumberInputProps, Stack } from '@mantine/core'
import { DateInput, type DateInputProps } from '@mantine/dates'
import type { UseFormReturnType } from '@mantine/form'
import { notifications } from '@mantine/notifications'
import type { ReactNode } from 'react'
import type { Problem } from '../api/problem'
import { t, useT } from '../i18n'

/** A day, typed or chosen; its value is `YYYY-MM-DD`. */
export function DayInput(props: DateInputProps) {
  const t = useT()
  return <DateInput valueFormat="DD/MM/YYYY" placeholder="jj/mm/aaaa" dateParser={parseDay} clearButtonProps={{ 'aria-label': t.clear }} {...props} />
}

function parseDay(typed: string): string | null {
  const m = /^(\d{1,2})[/. -]?(\d{1,2})[/. -]?(\d{4})$/.exec(typed.trim())
  return m ? `${m[3]}-${m[2]!.padStart(2, '0')}-${m[1]!.padStart(2, '0')}` : null
}

/** A whole number. */
export const WholeInput = (props: NumberInputProps) => <NumberInput allowDecimal={false} allowNegative={false} thousandSeparator={'\u202f'} hideControls {...props} />

/** Euros and centimes. */
export const EuroInput = (props: NumberInputProps) => (
  <NumberInput allowNegative={false} decimalScale={2} fixedDecimalScale decimalSeparator="," allowedDecimalSeparators={[',', '.']} thousandSeparator={'\u202f'} suffix={'\u00a0€'} hideControls {...props} />
)

/** Typed euros as the API takes them. */
export const centimes = (euros: number | string) => Math.round(Number(euros) * 100)

/** A refusal in a sentence, where no field shows it. */
export const sentence = (problem: Problem) => problem.fields[0]?.message ?? problem.message

/** Shows a refusal at its fields; what belongs to no field of the form is returned. */
export function showFields(form: Pick<UseFormReturnType<any>, 'getInputNode' | 'setFieldError'>, problem: Problem): string | null {
  const stray: string[] = []
  for (const { path, message } of problem.fields) {
    if (path && form.getInputNode(path)) form.setFieldError(path, message)
    else stray.push(path ? `${path} : ${message}` : message)
  }
  if (stray.length) return stray.join(' ')
  return problem.fields.length ? null : problem.message
}

export const done = (message: string) => notifications.show({ message, color: 'vert', withBorder: true, closeButtonProps: { 'aria-label': t().close } })
export const failed = (problem: Problem) => notifications.show({ message: sentence(problem), color: 'rouge', withBorder: true, autoClose: 10_000, closeButtonProps: { 'aria-label': t().close } })

interface AskProps {
  title: string
  opened: boolean
  onClose: () => void
  onSubmit: () => void
  submit: string
  busy: boolean
  error?: ReactNode
  danger?: boolean
  disabled?: boolean
  size?: string
  children: ReactNode
}

/** A dialog that says what an act will do, and does it. */
export function Ask({ title, opened, onClose, onSubmit, submit, busy, error, danger, disabled, size = 'md', children }: AskProps) {
  const t = useT()
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={size} closeButtonProps={{ 'aria-label': t.close }} attributes={{ header: { role: 'presentation' } }}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          onSubmit()
        }}
      >
        <Stack gap="md">
          {children}
          {error && <Alert color="rouge" role="alert">{error}</Alert>}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>{t.cancel}</Button>
            <Button type="submit" color={danger ? 'rouge' : undefined} loading={busy} disabled={disabled}>{submit}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
