import { Alert, Button, Group, SimpleGrid, Stack, Table, Text, VisuallyHidden } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { asProblem, type Problem } from '../api/problem'
import { cubicMetres, euros, integer, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { DayInput, sentence } from '../ui/forms'
import { IconCoinEuro, IconPlus, IconX } from '../ui/icons'
import { Empty, Loading } from '../ui/Loaded'
import { Card, Figure, Page } from '../ui/Page'
import { ecart, GrilleModal, type Projet } from './GrilleModal'

/** What tariffs to come would change for every contract. */
export default function EtSi() {
  const t = useT()
  const w = t.whatif
  const [date, setDate] = useState<string | null>(today())
  const [drafts, setDrafts] = useState<Projet[]>([])
  const [from, setFrom] = useState<Projet | null>(null)
  const [adding, add] = useDisclosure()
  const tarifs = useQuery({ queryKey: ['tarifs'], queryFn: ({ signal }) => ok(api.GET('/v1/tarifs', { signal })) })
  const run = useMutation<Schemas['BaseSimulee'], Problem, { date: string; projets: Projet[] }>({
    mutationFn: (body) => ok(api.POST('/v1/simulations/base', { body })).catch((e) => Promise.reject(asProblem(e))),
  })
  const current = list(tarifs.data?.grilles).filter((g) => g.du <= today() && today() < g.au)
  return (
    <Page title={w.title} trail={[[t.tarifs.title, '/tarifs']]} subtitle={w.hint}>
      <Stack gap="lg">
        <Card title={w.drafts} hint={w.draftsHint}>
          <Stack gap="sm">
            {drafts.map((d, i) => (
              <Group key={i} justify="space-between" wrap="nowrap">
                <Text size="sm"><strong>{d.code}</strong>{` · ${t.word.service[d.service]} · ${d.commune ?? t.grilles.everywhere} · ${d.profil ? t.grilles.profiles[d.profil] : t.grilles.allProfiles}`}</Text>
                <Button variant="subtle" color="rouge" size="compact-xs" leftSection={<IconX size={14} />} aria-label={`${w.drop} ${d.code}`} onClick={() => setDrafts(drafts.filter((x) => x !== d))}>{w.drop}</Button>
              </Group>
            ))}
            <Group gap="xs">
              {current.map((g) => (
                <Button key={g.id} variant="default" size="xs" leftSection={<IconPlus size={14} />} onClick={() => { setFrom(g); add.open() }}>{w.change(g.code)}</Button>
              ))}
            </Group>
            <Group align="flex-end" justify="space-between">
              <DayInput label={w.date} value={date} onChange={setDate} />
              <Button disabled={!date || drafts.length === 0} loading={run.isPending} onClick={() => date && run.mutate({ date, projets: drafts })}>{w.run}</Button>
            </Group>
            {run.error && <Alert color="rouge" role="alert">{sentence(run.error)}</Alert>}
          </Stack>
        </Card>
        {run.isPending && <Card><Loading rows={6} /></Card>}
        {run.data && !run.isPending && <Result result={run.data} />}
        {!run.data && !run.isPending && <Card flush><Empty icon={IconCoinEuro} title={w.empty}>{w.emptyHint}</Empty></Card>}
      </Stack>
      {from && <GrilleModal title={w.change(from.code)} from={from} opened={adding} onClose={add.close} submit={w.keep} send={async (p) => setDrafts([...drafts.filter((d) => d.service !== p.service || d.commune !== p.commune || d.profil !== p.profil), p])} />}
    </Page>
  )
}

function Result({ result: r }: { result: Schemas['BaseSimulee'] }) {
  const t = useT()
  const w = t.whatif
  const lines: [string, number, number][] = [
    ...list(r.avant.rubriques).map((x, i): [string, number, number] => [t.word.rubrique[x.code] ?? x.code, x.ht_centimes, list(r.apres.rubriques)[i]?.ht_centimes ?? 0]),
    [t.lot.ht, r.avant.ht_centimes, r.apres.ht_centimes],
    [t.lot.tva, r.avant.tva_centimes, r.apres.tva_centimes],
    [t.lot.ttc, r.avant.ttc_centimes, r.apres.ttc_centimes],
  ]
  const top = Math.max(1, ...list(r.histogramme).map((c) => c.contrats))
  const range = (c: Schemas['ClasseEcart']) => {
    if (c.de_centimes === 0) return w.same
    const [a, b] = [c.de_centimes, c.a_centimes]
    // Classes above zero start a centime after those below end: the bound people read is a whole euro.
    const say = (n: number) => euros(n > 0 ? n - 1 : n)
    return a === undefined ? w.under(say(b!)) : b === undefined ? w.over(say(a)) : w.between(say(a), say(b))
  }
  return (
    <Stack gap="lg" role="status">
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="lg">
        <Card><Figure label={w.contracts} value={integer(r.contrats)} hint={w.left(integer(r.sans_historique), integer(r.sans_tarif))} /></Card>
        <Card><Figure label={w.winners} value={integer(r.gagnants)} /></Card>
        <Card><Figure label={w.losers} value={integer(r.perdants)} /></Card>
        <Card><Figure label={w.volume} value={cubicMetres(Math.round(r.volume_litres / 1000) * 1000)} /></Card>
      </SimpleGrid>
      <Stack gap="lg">
        <Card title={w.revenue} hint={w.revenueHint} flush>
          <div className="table-scroll" role="region" aria-label={w.revenue} tabIndex={0}>
            <Table className="data-table">
              <Table.Thead><Table.Tr><Table.Th scope="col">{w.rubrique}</Table.Th><Table.Th scope="col" className="num">{t.grilles.before}</Table.Th><Table.Th scope="col" className="num">{t.grilles.after}</Table.Th><Table.Th scope="col" className="num">{t.grilles.change}</Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>{lines.map(([label, a, b]) => <Table.Tr key={label}><Table.Th scope="row">{label}</Table.Th><Table.Td className="num">{euros(a)}</Table.Td><Table.Td className="num">{euros(b)}</Table.Td><Table.Td className="num">{ecart(a, b)}</Table.Td></Table.Tr>)}</Table.Tbody>
            </Table>
          </div>
        </Card>
        <Card title={w.histogram} hint={w.histogramHint} flush>
          <div className="table-scroll" role="region" aria-label={w.histogram} tabIndex={0}>
            <Table className="data-table">
              <Table.Thead><Table.Tr><Table.Th scope="col">{w.yearly}</Table.Th><Table.Th scope="col" className="num">{w.contracts}</Table.Th><Table.Th scope="col" w="45%"><VisuallyHidden>{w.histogram}</VisuallyHidden></Table.Th></Table.Tr></Table.Thead>
              <Table.Tbody>
                {list(r.histogramme).map((c, i) => (
                  <Table.Tr key={i}>
                    <Table.Th scope="row">{range(c)}</Table.Th>
                    <Table.Td className="num">{integer(c.contrats)}</Table.Td>
                    <Table.Td><div aria-hidden className="gauge" data-tone={(c.de_centimes ?? -1) > 0 ? 'alert' : undefined} style={{ width: `${(c.contrats / top) * 100}%` }} /></Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </Card>
      </Stack>
      <Card title={w.communes} flush>
        <DataTable
          label={w.communes}
          rows={list(r.communes)}
          id={(c) => c.code_insee || '-'}
          columns={[
            { title: t.grilles.commune, head: true, cell: (c) => c.nom || c.code_insee || t.grilles.everywhere },
            { title: w.contracts, num: true, cell: (c) => integer(c.contrats) },
            { title: w.before120, num: true, wide: true, cell: (c) => euros(c.avant_120_centimes) },
            { title: w.after120, num: true, cell: (c) => euros(c.apres_120_centimes) },
            { title: t.grilles.change, num: true, cell: (c) => ecart(c.avant_120_centimes, c.apres_120_centimes) },
            { title: w.revenueChange, num: true, wide: true, cell: (c) => ecart(c.avant_ttc_centimes, c.apres_ttc_centimes) },
          ]}
          empty={null}
        />
      </Card>
      <Card title={w.most} flush>
        <DataTable
          label={w.most}
          rows={list(r.plus_forts_ecarts)}
          id={(c) => c.numero}
          columns={[
            { title: t.facture.contract, head: true, cell: (c) => c.numero },
            { title: t.chart.volume, num: true, cell: (c) => cubicMetres(c.volume_litres) },
            { title: t.grilles.before, num: true, wide: true, cell: (c) => euros(c.avant_ttc_centimes) },
            { title: t.grilles.after, num: true, cell: (c) => euros(c.apres_ttc_centimes) },
            { title: t.grilles.change, num: true, cell: (c) => ecart(c.avant_ttc_centimes, c.apres_ttc_centimes) },
          ]}
          empty={<Empty title={w.nobody} />}
        />
      </Card>
    </Stack>
  )
}
