import { Alert, Radio, Stack, Table, Text, Textarea } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { cubicMetres, euros } from '../format'
import { useT } from '../i18n'
import { Ask, centimes, DayInput, done, EuroInput, showFields, WholeInput } from './forms'
import { IconAlertTriangle } from './icons'
import { Card, Link } from './Page'

type Facture = Schemas['Facture']
interface Props {
  facture: Facture
  opened: boolean
  onClose: () => void
}

/** What an avoir does, in words and figures. */
function Consequence({ avoir: a, before }: { avoir: Schemas['Avoir']; before: number }) {
  const t = useT().pieces
  return (
    <Alert color="eau" icon={<IconAlertTriangle size={18} aria-hidden />} title={t.consequence}>
      <Stack gap={4}>
        <Text size="sm">{t.willIssue(euros(-a.ttc_centimes), euros(-a.ht_centimes), euros(-a.tva_centimes))}</Text>
        <Text size="sm">{a.total ? t.willCancel(a.facture) : t.willLeave(a.facture, euros(before), euros(a.reste_centimes))}</Text>
        {a.avance_centimes > 0 && <Text size="sm">{t.willAdvance(euros(a.avance_centimes))}</Text>}
        <Text size="sm">{t.cannotUndo}</Text>
      </Stack>
    </Alert>
  )
}

/** Takes back a bill, after it said what that does. */
export function AvoirModal({ facture: f, opened, onClose }: Props) {
  const t = useT()
  const lignes = list(f.lignes).filter((l) => l.ht_centimes > 0)
  const [preview, setPreview] = useState<Schemas['Avoir'] | null>(null)
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { motif: '', portee: 'tout', montants: lignes.map(() => '' as number | '') },
    validate: { motif: (v) => (v.trim() ? null : t.form.required) },
    onValuesChange: () => {
      setPreview(null)
      setError(null)
    },
  })
  const close = () => {
    form.reset()
    setPreview(null)
    onClose()
  }
  const command = useCommand(
    (body: Schemas['EmettreAvoir'], header) => ok(api.POST('/v1/factures/{id}/avoir', { params: { path: { id: f.id }, header }, body })),
    (a) => {
      if (!a.numero) return setPreview(a)
      done(t.pieces.issued(a.numero))
      close()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const chosen = lignes.flatMap((l, i) => (form.values.montants[i] ? [{ code: l.code, ht_centimes: centimes(form.values.montants[i]) }] : []))
    if (form.values.portee === 'part' && chosen.length === 0) return setError(t.pieces.noLine)
    command.mutate(
      { motif: form.values.motif.trim(), lignes: form.values.portee === 'part' ? chosen : undefined, simulation: !preview },
      { onError: (problem) => setError(showFields(form, problem)) },
    )
  }
  return (
    <Ask title={t.pieces.avoirTitle(f.numero ?? '')} size="lg" danger={Boolean(preview)} opened={opened} onClose={close} onSubmit={submit} submit={preview ? t.pieces.issueAvoir : t.pieces.preview} busy={command.isPending} error={error}>
      <Textarea label={t.pieces.motif} description={t.pieces.motifHint} withAsterisk data-autofocus autosize {...form.getInputProps('motif')} />
      <Radio.Group label={t.pieces.scope} {...form.getInputProps('portee')}>
        <Stack gap="xs" mt="xs">
          <Radio value="tout" label={t.pieces.whole} />
          <Radio value="part" label={t.pieces.part} />
        </Stack>
      </Radio.Group>
      {form.values.portee === 'part' &&
        lignes.map((l, i) => (
          <EuroInput key={`${l.code}${i}`} label={l.libelle} description={t.pieces.atMost(euros(l.ht_centimes))} max={l.ht_centimes / 100} {...form.getInputProps(`montants.${i}`)} />
        ))}
      {preview && <Consequence avoir={preview} before={f.reste_centimes} />}
    </Ask>
  )
}

/** Issues a bill again from the right index, after it said what that does. */
export function RectificationModal({ facture: f, opened, onClose }: Props) {
  const t = useT()
  const navigate = useNavigate()
  const [preview, setPreview] = useState<Schemas['Rectification'] | null>(null)
  const [error, setError] = useState<string | null>(null)
  const form = useForm({
    initialValues: { motif: '', date: f.au as string | null, index: '' as number | '' },
    validate: { motif: (v) => (v.trim() ? null : t.form.required), date: (v) => (v ? null : t.form.required), index: (v) => (v === '' ? t.form.required : null) },
    onValuesChange: () => {
      setPreview(null)
      setError(null)
    },
  })
  const close = () => {
    form.reset()
    setPreview(null)
    onClose()
  }
  const command = useCommand(
    (body: Schemas['RectifierFacture'], header) => ok(api.POST('/v1/factures/{id}/rectification', { params: { path: { id: f.id }, header }, body })),
    (r) => {
      if (!r.facture.numero) return setPreview(r)
      done(t.pieces.rectified(r.facture.numero))
      close()
      void navigate({ to: `/factures/${r.facture.id}` })
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const { motif, date, index } = form.values
    command.mutate({ motif: motif.trim(), index: [{ date: date!, index: Number(index) }], simulation: !preview }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.pieces.rectifyTitle(f.numero ?? '')} size="lg" danger={Boolean(preview)} opened={opened} onClose={close} onSubmit={submit} submit={preview ? t.pieces.rectify : t.pieces.preview} busy={command.isPending} error={error}>
      <Text size="sm">{t.pieces.rectifyText}</Text>
      <Textarea label={t.pieces.motif} description={t.pieces.motifHint} withAsterisk data-autofocus autosize {...form.getInputProps('motif')} />
      <DayInput label={t.pieces.readOn} withAsterisk minDate={f.du} maxDate={f.au} {...form.getInputProps('date')} />
      <WholeInput label={t.pieces.rightIndex} withAsterisk {...form.getInputProps('index')} />
      {preview && (
        <>
          <Consequence avoir={preview.avoir} before={f.reste_centimes} />
          <Alert color="eau">
            <Text size="sm">{t.pieces.newBill(cubicMetres(f.volume_litres), cubicMetres(preview.facture.volume_litres), euros(f.ttc_centimes), euros(preview.facture.ttc_centimes))}</Text>
          </Alert>
        </>
      )}
    </Ask>
  )
}

/** What corrects a bill, and what it corrects. */
export function Corrections({ facture: f }: { facture: Facture }) {
  const t = useT()
  const corrections = list(f.corrections)
  if (!f.corrige_id && corrections.length === 0 && !f.motif) return null
  return (
    <Card title={t.pieces.corrections}>
      <Stack gap="xs">
        {f.motif && <Text size="sm">{f.motif}</Text>}
        {f.corrige_id && <Text size="sm">{f.nature === 'AVOIR' ? t.pieces.takesBack : t.pieces.replaces} <Link to={`/factures/${f.corrige_id}`} inherit>{f.corrige_numero}</Link></Text>}
        {corrections.length > 0 && (
          <Table className="data-table" horizontalSpacing={0}>
            <Table.Tbody>
              {corrections.map((c) => (
                <Table.Tr key={c.facture_id}>
                  <Table.Th scope="row"><Link to={`/factures/${c.facture_id}`} inherit>{c.numero}</Link><div className="soft">{c.motif}</div></Table.Th>
                  <Table.Td className="num">{euros(c.ttc_centimes)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
    </Card>
  )
}
