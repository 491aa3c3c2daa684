import { Alert, Group, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { api, list, ok, type Schemas } from '../api/client'
import { cubicMetres, day, dayBefore, euros, integer, percent } from '../format'
import { lang, useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { IconCircleCheck } from '../ui/icons'
import { Loaded } from '../ui/Loaded'
import { Card, Link } from '../ui/Page'

type Rapport = Schemas['RapportDeLot']
type Sommes = Schemas['SommesDeLot']

/** What a second person looks at before a lot is approved. */
export function LotRapport({ lot }: { lot: Schemas['Lot'] }) {
  const query = useQuery({ queryKey: ['lots', lot.id, 'rapport', lot.etat], queryFn: ({ signal }) => ok(api.GET('/v1/lots/{id}/rapport', { params: { path: { id: lot.id } }, signal })) })
  return (
    <Loaded query={query} rows={6}>
      {(r) => (
        <Stack gap="lg">
          <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
            <Comparison r={r} />
            <Missing r={r} />
          </SimpleGrid>
          <Signs r={r} />
        </Stack>
      )}
    </Loaded>
  )
}

/** The lot beside the one of the same extent before it. */
function Comparison({ r }: { r: Rapport }) {
  const t = useT().rapport
  const before = r.precedent
  const rows: [string, (s: Sommes) => number, (v: number) => string][] = [
    [t.bills, (s) => s.factures, integer],
    [t.volume, (s) => s.volume_litres, cubicMetres],
    [t.perBill, (s) => (s.factures ? Math.round(s.volume_litres / s.factures) : 0), cubicMetres],
    [t.ht, (s) => s.ht_centimes, euros],
    ...list(r.actuel.rubriques).map((x): [string, (s: Sommes) => number, (v: number) => string] => [t.rubrique[x.code] ?? x.code, (s) => list(s.rubriques).find((y) => y.code === x.code)?.ht_centimes ?? 0, euros]),
    [t.ttc, (s) => s.ttc_centimes, euros],
    [t.estimated, (s) => s.estimees, integer],
    [t.notBilled, (s) => s.en_erreur, integer],
  ]
  const change = (now: number, was: number) => (was === 0 ? '–' : `${now >= was ? '+' : '−'}${percent(Math.round((Math.abs(now - was) / Math.abs(was)) * 1000))}`)
  return (
    <Card title={t.comparison} hint={before ? t.with(before.libelle, day(before.du), dayBefore(before.au)) : t.first} flush>
      <div className="table-scroll" role="region" aria-label={t.comparison} tabIndex={0}>
        <Table className="data-table">
          <Table.Thead><Table.Tr><Table.Th scope="col">{t.figure}</Table.Th><Table.Th scope="col" className="num">{t.now}</Table.Th>{before && <><Table.Th scope="col" className="num">{t.before}</Table.Th><Table.Th scope="col" className="num">{t.change}</Table.Th></>}</Table.Tr></Table.Thead>
          <Table.Tbody>
            {rows.map(([label, of, as]) => (
              <Table.Tr key={label}>
                <Table.Th scope="row">{label}</Table.Th>
                <Table.Td className="num">{as(of(r.actuel))}</Table.Td>
                {before && <><Table.Td className="num soft">{as(of(before))}</Table.Td><Table.Td className="num">{change(of(r.actuel), of(before))}</Table.Td></>}
              </Table.Tr>
            ))}
            {list(r.tva).map((v) => (
              <Table.Tr key={v.taux_pm}>
                <Table.Th scope="row">{t.vat(percent(v.taux_pm))}</Table.Th>
                <Table.Td className="num">{euros(v.montant_centimes)}</Table.Td>
                {before && <Table.Td className="num soft" colSpan={2}>{t.on(euros(v.base_centimes))}</Table.Td>}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Card>
  )
}

function Missing({ r }: { r: Rapport }) {
  const t = useT().rapport
  const rows = [
    ...list(r.erreurs).map((e) => ({ key: e.code, text: lang() === 'en' ? e.detail_en : e.detail, n: e.contrats })),
    ...(r.deja_facturees ? [{ key: 'deja', text: t.already, n: r.deja_facturees }] : []),
    ...(r.disparus ? [{ key: 'disparus', text: t.gone, n: r.disparus }] : []),
  ]
  return (
    <Card title={t.missing} flush>
      <DataTable
        label={t.missing}
        rows={rows}
        id={(row) => row.key}
        columns={[
          { title: t.cause, head: true, cell: (row) => row.text },
          { title: t.contracts, num: true, cell: (row) => integer(row.n) },
        ]}
        empty={<Text size="sm" c="dimmed" px="lg" pb="lg">{t.nobodyMissing}</Text>}
      />
    </Card>
  )
}

function Signs({ r }: { r: Rapport }) {
  const t = useT().rapport
  const signs = list(r.signes)
  if (signs.length === 0) return <Alert color="vert" icon={<IconCircleCheck aria-hidden />}>{t.noSigns(euros(r.fortes_centimes), cubicMetres(r.forts_litres))}</Alert>
  return (
    <Card title={t.signs} hint={t.thresholds(euros(r.fortes_centimes), cubicMetres(r.forts_litres), r.source)}>
      <Stack gap="sm">
        {signs.map((s) => (
          <details key={s.signe}>
            <summary><Group gap={8} display="inline-flex"><Text span fw={600}>{t.sign[s.signe]}</Text><Text span className="num">{integer(s.nombre)}</Text></Group></summary>
            <DataTable
              label={t.sign[s.signe] ?? s.signe}
              rows={list(s.factures)}
              id={(f) => f.id}
              to={(f) => `/factures/${f.id}`}
              columns={[
                { title: t.contract, head: true, cell: (f) => <Link to={`/factures/${f.id}`} className="id">{f.contrat}</Link> },
                { title: t.name, wide: true, cell: (f) => f.nom },
                { title: t.volume, num: true, cell: (f) => cubicMetres(f.volume_litres) },
                { title: t.ttc, num: true, cell: (f) => euros(f.ttc_centimes) },
              ]}
              foot={s.nombre > list(s.factures).length && <Table.Tr><Table.Td colSpan={4}>{t.largest(list(s.factures).length)}</Table.Td></Table.Tr>}
              empty={null}
            />
          </details>
        ))}
      </Stack>
    </Card>
  )
}
