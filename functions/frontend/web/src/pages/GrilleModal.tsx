import { ActionIcon, Button, Checkbox, Group, NumberInput, type NumberInputProps, Select, SimpleGrid, Stack, Table, Text, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import { euros } from '../format'
import { useT } from '../i18n'
import { Ask, DayInput, showFields, WholeInput } from '../ui/forms'
import { IconPlus, IconX } from '../ui/icons'

export type Grille = Schemas['Grille']
export type Projet = Schemas['DefinirGrille']
type Send = (projet: Projet) => Promise<unknown>

export const communes = () => ({ queryKey: ['communes'], queryFn: ({ signal }: { signal: AbortSignal }) => ok(api.GET('/v1/communes', { signal })) })
export const profils = ['INDIVIDUEL', 'COLLECTIF', 'RESIDENTIEL', 'AGRICOLE', 'COMMERCIAL', 'INDUSTRIEL', 'SOCIAL'] as const
/** The volumes that versions are compared by, m3 a year. */
export const reperes = [30, 60, 120, 200]

/** A rate in euros, to the micro-euro. */
const RateInput = (props: NumberInputProps) => (
  <NumberInput allowNegative={false} decimalScale={6} decimalSeparator="," allowedDecimalSeparators={[',', '.']} suffix={'\u00a0€'} hideControls {...props} />
)

interface Values {
  code: string
  service: string
  commune: string
  profil: string
  du: string
  au: string
  part_fixe_an_ue: number | string
  tranches: { jusqua_m3: number | string; prix_m3_ue: number | string }[]
  tva_pm: string
  deliberation: string
  rurale: boolean
  touristique: boolean
  degressivite: string
}

const yearAfter = (date: string) => `${Number(date.slice(0, 4)) + 1}${date.slice(4)}`

/** What the form starts from: the version itself, or the one that follows it. */
const valuesOf = (g: Projet, follows: boolean): Values => ({
  code: follows ? '' : g.code,
  service: g.service,
  commune: g.commune ?? '',
  profil: g.profil ?? '',
  du: follows ? g.au : g.du,
  au: follows ? yearAfter(g.au) : g.au,
  part_fixe_an_ue: g.part_fixe_an_ue / 1e6,
  tranches: list(g.tranches).map((x) => ({ jusqua_m3: x.jusqua_m3 ?? '', prix_m3_ue: x.prix_m3_ue / 1e6 })),
  tva_pm: String(g.tva_pm),
  deliberation: follows ? '' : g.deliberation,
  rurale: g.rurale ?? false,
  touristique: g.touristique ?? false,
  degressivite: g.degressivite ?? '',
})

const micro = (euro: number | string) => Math.round(Number(euro) * 1e6)

const projetOf = (v: Values): Projet => ({
  code: v.code,
  service: v.service as Projet['service'],
  du: v.du,
  au: v.au,
  part_fixe_an_ue: micro(v.part_fixe_an_ue),
  tranches: v.tranches.map((x, i) => ({ prix_m3_ue: micro(x.prix_m3_ue), ...(i < v.tranches.length - 1 && x.jusqua_m3 !== '' && { jusqua_m3: Number(x.jusqua_m3) }) })),
  tva_pm: Number(v.tva_pm),
  deliberation: v.deliberation,
  ...(v.commune && { commune: v.commune }),
  ...(v.profil && { profil: v.profil as Projet['profil'] }),
  ...(v.rurale && { rurale: true }),
  ...(v.touristique && { touristique: true }),
  ...(v.degressivite && { degressivite: v.degressivite }),
})

/** The form of a version: a new one after `from`, or `from` itself written anew. */
export function GrilleModal({ title, from, follows = true, opened, onClose, submit, send }: { title: string; from: Projet & { id?: string }; follows?: boolean; opened: boolean; onClose: () => void; submit: string; send: Send }) {
  const t = useT()
  const g = t.grilles
  const known = useQuery({ ...communes(), enabled: opened })
  const [error, setError] = useState<string | null>(null)
  const required = (v: unknown) => (v === '' || v === null ? t.form.required : null)
  const form = useForm<Values>({
    initialValues: valuesOf(from, follows),
    validate: { code: required, du: required, au: required, part_fixe_an_ue: required, deliberation: required, tranches: { prix_m3_ue: required } },
  })
  const reset = () => {
    form.setValues(valuesOf(from, follows))
    form.clearErrors()
    setError(null)
    preview.reset()
  }
  const refused = (problem: Problem) => setError(showFields(form, { ...problem, message: problem.message, fields: problem.fields.map((f) => ({ ...f, path: f.path.replace(/\[(\d+)\]/g, '.$1') })) } as Problem))
  const command = useMutation<unknown, Problem, Projet>({ mutationFn: (projet) => send(projet).catch((e) => Promise.reject(asProblem(e))), onError: refused, onSuccess: onClose })
  const preview = useMutation<Schemas['CourbesPrix'], Problem, Projet>({
    mutationFn: (projet) => ok(api.POST('/v1/simulations/prix', { body: { ids: from.id ? [from.id] : [], projet } })).catch((e) => Promise.reject(asProblem(e))),
    onError: refused,
  })
  useEffect(() => {
    if (opened) reset()
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [opened, from])
  const ready = (act: (projet: Projet) => void) => {
    if (form.validate().hasErrors) return
    setError(null)
    act(projetOf(form.values))
  }
  const places = [{ value: '', label: g.everywhere }, ...list(known.data?.communes).filter((c) => c.connue).map((c) => ({ value: c.code_insee, label: `${c.nom} (${c.code_insee})` }))]
  const rates = form.values.service === 'eau' ? ['55', '0'] : ['100', '0']
  const last = form.values.tranches.length - 1
  return (
    <Ask title={title} opened={opened} onClose={onClose} onSubmit={() => ready((p) => command.mutate(p))} submit={submit} busy={command.isPending} error={error} size="xl">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <Select label={g.service} data={[{ value: 'eau', label: t.word.service.eau! }, { value: 'assainissement', label: t.word.service.assainissement! }]} allowDeselect={false} {...form.getInputProps('service')} />
        <TextInput label={g.code} withAsterisk maxLength={60} data-autofocus {...form.getInputProps('code')} />
        <Select label={g.commune} data={places} allowDeselect={false} searchable {...form.getInputProps('commune')} />
        <Select label={g.profile} data={[{ value: '', label: g.allProfiles }, ...profils.map((p) => ({ value: p, label: g.profiles[p] }))]} allowDeselect={false} {...form.getInputProps('profil')} />
        <DayInput label={g.from} withAsterisk {...form.getInputProps('du')} />
        <DayInput label={g.to} withAsterisk {...form.getInputProps('au')} />
        <RateInput label={t.tarifs.fixed} withAsterisk {...form.getInputProps('part_fixe_an_ue')} />
        <Select label={t.tarifs.vat} data={rates.map((r) => ({ value: r, label: `${Number(r) / 10} %`.replace('.', ',') }))} allowDeselect={false} {...form.getInputProps('tva_pm')} />
      </SimpleGrid>
      <Stack gap="xs" component="fieldset" m={0} p={0} bd={0}>
        <Text component="legend" size="sm" fw={500}>{g.slabs}</Text>
        {form.values.tranches.map((_, i) => (
          <Group key={i} gap="sm" align="flex-start" wrap="nowrap">
            <WholeInput aria-label={g.upTo(i + 1)} placeholder={i === last ? g.noBound : g.upToShort} suffix={'\u00a0m³'} disabled={i === last} flex={1} {...form.getInputProps(`tranches.${i}.jusqua_m3`)} {...(i === last && { value: '' })} />
            <RateInput aria-label={g.priceOf(i + 1)} placeholder={t.tarifs.perM3} flex={1} {...form.getInputProps(`tranches.${i}.prix_m3_ue`)} />
            <ActionIcon variant="subtle" color="rouge" size="lg" aria-label={g.dropSlab(i + 1)} disabled={last === 0} onClick={() => form.removeListItem('tranches', i)}><IconX size={16} /></ActionIcon>
          </Group>
        ))}
        <div><Button variant="subtle" size="xs" leftSection={<IconPlus size={14} />} disabled={last >= 19} onClick={() => form.insertListItem('tranches', { jusqua_m3: '', prix_m3_ue: form.values.tranches[last]?.prix_m3_ue ?? '' }, last)}>{g.addSlab}</Button></div>
      </Stack>
      <TextInput label={t.tarifs.decision} withAsterisk maxLength={200} {...form.getInputProps('deliberation')} />
      {!form.values.commune && (
        <Group>
          <Checkbox label={g.rural} {...form.getInputProps('rurale', { type: 'checkbox' })} />
          <Checkbox label={g.tourist} {...form.getInputProps('touristique', { type: 'checkbox' })} />
        </Group>
      )}
      <Textarea label={g.degressive} description={g.degressiveHint} maxLength={400} autosize {...form.getInputProps('degressivite')} />
      <Stack gap="xs">
        <div><Button variant="default" size="xs" loading={preview.isPending} onClick={() => ready((p) => preview.mutate(p))}>{g.preview}</Button></div>
        {preview.data && <Compared courbes={list(preview.data.courbes)} />}
      </Stack>
    </Ask>
  )
}

/** What versions ask for a few volumes, and what changes from the first to the last. */
export function Compared({ courbes }: { courbes: Schemas['CourbePrix'][] }) {
  const t = useT()
  const g = t.grilles
  const [a, b] = [courbes[0], courbes.length > 1 ? courbes.at(-1) : undefined]
  return (
    <div className="table-scroll" role="region" aria-label={g.bills} tabIndex={0}>
      <Table className="data-table">
        <Table.Thead><Table.Tr><Table.Th scope="col">{g.bills}</Table.Th>{courbes.map((c, i) => <Table.Th key={i} scope="col" className="num">{c.grille.code}</Table.Th>)}{b && <Table.Th scope="col" className="num">{g.change}</Table.Th>}</Table.Tr></Table.Thead>
        <Table.Tbody>
          {reperes.map((m3) => {
            const at = (c: Schemas['CourbePrix'] | undefined) => list(c?.points).find((p) => p.m3 === m3)?.ttc_centimes ?? 0
            return (
              <Table.Tr key={m3}>
                <Table.Th scope="row">{`${m3}\u00a0m³`}</Table.Th>
                {courbes.map((c, i) => <Table.Td key={i} className="num">{euros(at(c))}</Table.Td>)}
                {b && <Table.Td className="num">{ecart(at(a), at(b))}</Table.Td>}
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </div>
  )
}

/** A change in euros and per cent, with its sign. */
export function ecart(before: number, after: number): string {
  const diff = after - before
  const sign = diff > 0 ? '+' : ''
  if (before === 0) return `${sign}${euros(diff)}`
  const share = (diff / before) * 100
  return `${sign}${euros(diff)} (${sign}${share.toFixed(1).replace('.', ',').replace('-', '\u2212')}\u00a0%)`
}
