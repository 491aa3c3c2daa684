import { Button, NumberInput, Select, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useState } from 'react'
import { api, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, dayBefore, euros, percent, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, centimes, DayInput, done, EuroInput, showFields } from '../ui/forms'
import { IconPlus } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card } from '../ui/Page'
import { State } from '../ui/State'

type Regle = Schemas['ReglePenalite']
type Code = Regle['code']

/** The rule of a kind that begins last; rules come the latest first. */
const latest = (rules: Regle[], code: Code, habitation: boolean) => rules.find((r) => r.code === code && r.habitation === habitation)

/** What lateness costs, by dates, each rule with its source. */
export function Penalites({ rules }: { rules: Regle[] }) {
  const t = useT()
  const p = t.penalites
  const [adding, add] = useDisclosure()
  const over = latest(rules, 'TAUX', false)?.au
  return (
    <Card title={p.title} hint={over && over <= today() ? p.missing(day(over)) : p.hint} aside={can('relances:v') && <Button leftSection={<IconPlus size={16} />} onClick={add.open}>{p.add}</Button>} flush>
      <DataTable
        label={p.title}
        rows={rules}
        id={(r) => `${r.code} ${r.habitation} ${r.du}`}
        columns={[
          { title: t.relances.rule, head: true, cell: (r) => <>{p.kinds[r.code]}<Text size="xs" c="dimmed">{r.habitation ? p.homes : p.others}</Text>{r.a_verifier && <State of="regle" value="A_VERIFIER" />}</> },
          { title: t.prestations.dates, cell: (r) => (r.au ? `${day(r.du)} – ${dayBefore(r.au)}` : t.prestations.since(day(r.du))) },
          { title: t.relances.value, num: true, cell: (r) => (r.code === 'TAUX' ? percent(r.valeur / 10, 2) : euros(r.valeur)) },
          { title: t.relances.source, wide: true, cell: (r) => r.source },
        ]}
        empty={<Empty title={p.none} />}
      />
      {adding && <AddModal rules={rules} onClose={add.close} />}
    </Card>
  )
}

/** A rule from a day on, by default the first day that has none. */
function AddModal({ rules, onClose }: { rules: Regle[]; onClose: () => void }) {
  const t = useT()
  const p = t.penalites
  const [error, setError] = useState<string | null>(null)
  const first = (code: Code, whom: string) => latest(rules, code, whom === 'homes')?.au ?? null
  const required = (v: string | null) => (v?.trim() ? null : t.form.required)
  const form = useForm({
    initialValues: { code: 'TAUX' as Code, whom: 'others', du: first('TAUX', 'others'), valeur: '' as number | string, source: '' },
    validate: { du: required, valeur: (v) => (Number(v) > 0 ? null : t.form.positive), source: required },
  })
  const command = useCommand(
    (body: Schemas['DefinirPenalite'], header) => ok(api.POST('/v1/relances/penalites', { params: { header }, body })),
    () => (done(p.saved), onClose()),
  )
  const choose = (code: Code, whom: string) => form.setValues({ code, whom, du: first(code, whom) })
  const submit = () => {
    if (form.validate().hasErrors) return
    const { code, whom, du, valeur, source } = form.values
    command.mutate({ code, habitation: whom === 'homes', du: du!, valeur: centimes(valeur), source: source.trim() }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  const { code, whom } = form.values
  return (
    <Ask title={p.add} opened onClose={onClose} onSubmit={submit} submit={p.add} busy={command.isPending} error={error}>
      <Select label={t.relances.rule} allowDeselect={false} data={(['TAUX', 'FORFAIT'] as const).map((k) => ({ value: k, label: p.kinds[k] }))} value={code} onChange={(v) => choose(v as Code, whom)} />
      <Select label={p.whom} allowDeselect={false} data={(['others', 'homes'] as const).map((w) => ({ value: w, label: p[w] }))} value={whom} onChange={(v) => choose(code, v ?? whom)} />
      <DayInput label={p.from} description={p.fromHint} withAsterisk {...form.getInputProps('du')} />
      {code === 'TAUX'
        ? <NumberInput label={p.rate} withAsterisk min={0} max={30} decimalScale={2} decimalSeparator="," allowedDecimalSeparators={[',', '.']} suffix={'\u00a0%'} hideControls {...form.getInputProps('valeur')} />
        : <EuroInput label={p.fee} withAsterisk {...form.getInputProps('valeur')} />}
      <TextInput label={t.relances.source} description={p.sourceHint} withAsterisk maxLength={200} {...form.getInputProps('source')} />
    </Ask>
  )
}
