import { Alert, Anchor, Group, List, Stack, Table, Text, Title } from '@mantine/core'
import { list, type Schemas } from '../api/client'
import { cubicMetres, day, dayBefore, euros, integer, percent } from '../format'
import { useLang, useT } from '../i18n'
import { Card } from './Page'

/** What a bill and a simulation have in common. */
type Explication = Omit<Schemas['ExplicationFacture'], 'facture_id' | 'numero' | 'nature' | 'conforme'>

/** A bill from consumption to money: what was counted, each line in words, the steps to the total, the rules. */
export function Explained({ explication: e, plain }: { explication: Explication; plain?: boolean }) {
  const t = useT()
  const lang = useLang()
  const troncons = list(e.troncons)
  return (
    <Stack gap="lg">
      <Steps explication={e} />
      {troncons.length > 0 && !plain && (
        <Card title={t.explication.water}>
          <Stack gap="sm">
            <List spacing="xs">
              {troncons.map((troncon) => (
                <List.Item key={troncon.du + troncon.compteur}>
                  {troncon.texte[lang]}
                  {list(troncon.partages).map((shared) => <Text key={shared.fr} size="sm" c="dimmed">{shared[lang]}</Text>)}
                </List.Item>
              ))}
            </List>
            {e.fuite && (e.fuite.anormale ? <Alert color="ambre" role="note">{e.fuite.texte[lang]}</Alert> : <Text size="sm" c="dimmed">{e.fuite.texte[lang]}</Text>)}
          </Stack>
        </Card>
      )}
      {list(e.rubriques).map((r) => (
        <Card key={r.code} title={t.word.rubrique[r.code]} aside={<Text fw={660} className="num">{euros(r.ht_centimes)}</Text>}>
          <Stack component="ul" gap="lg" m={0} p={0} style={{ listStyle: 'none' }}>
            {list(e.lignes).filter((l) => l.rubrique === r.code).map((l, i) => (
              <li key={l.code + i}>
                <Group justify="space-between" align="baseline" wrap="nowrap" gap="md">
                  <Title order={3} size="sm">{l.libelle}</Title>
                  <Text fw={600} className="num">{euros(l.ht_centimes)}</Text>
                </Group>
                {l.regle ? (
                  <>
                    <Text size="sm">{l.texte[lang]}</Text>
                    <Text size="sm" c="dimmed">{l.calcul[lang]} · <Anchor href={`#regle-${l.regle}`} inherit underline="always">{t.explication.rule(l.regle)}</Anchor></Text>
                  </>
                ) : null}
              </li>
            ))}
          </Stack>
        </Card>
      ))}
      <Card title={t.explication.vat}>
        <List spacing={4}>{list(e.tva).map((v) => <List.Item key={v.taux_pm}>{v.calcul[lang]}</List.Item>)}</List>
        <Text fw={650} mt="sm">{e.total[lang]}</Text>
      </Card>
      {list(e.volumes).length > 0 && <Tariffs explication={e} />}
      {list(e.lignes).some((l) => l.regle) && (
        <Card title={t.explication.rules} hint={t.explication.rulesHint}>
          <ol style={{ margin: 0, paddingLeft: 28 }}>
            {t.explication.ruleTexts.map((text, i) => <Text key={text} component="li" id={`regle-${i + 1}`} size="sm" mb={4}>{text}</Text>)}
          </ol>
        </Card>
      )}
    </Stack>
  )
}

interface Step {
  label: string
  centimes: number
  from: number
  total?: boolean
}

/** From nothing to the total: each rubrique, then each VAT, a step on from the one before. */
function Steps({ explication: e }: { explication: Explication }) {
  const t = useT()
  const steps: Step[] = []
  let sum = 0
  for (const [label, centimes] of [
    ...list(e.rubriques).map((r) => [t.word.rubrique[r.code], r.ht_centimes] as const),
    ...list(e.tva).filter((v) => v.montant_centimes !== 0).map((v) => [t.explication.vatAt(percent(v.taux_pm)), v.montant_centimes] as const),
  ]) {
    steps.push({ label, centimes, from: sum })
    sum += centimes
  }
  steps.push({ label: t.facture.total, centimes: e.ttc_centimes, from: 0, total: true })
  const ends = steps.flatMap((s) => [s.from, s.from + s.centimes])
  const low = Math.min(0, ...ends)
  const span = Math.max(0, ...ends) - low || 1
  return (
    <Card title={t.explication.steps} flush pb="sm">
      <div className="table-scroll" role="region" aria-label={t.explication.steps} tabIndex={0}>
        <Table className="data-table steps">
          <Table.Thead><Table.Tr><Table.Th scope="col">{t.facture.line}</Table.Th><Table.Th scope="col" className="num">{t.explication.amount}</Table.Th><Table.Td aria-hidden className="mantine-visible-from-sm" /></Table.Tr></Table.Thead>
          <Table.Tbody>
            {steps.map((s) => (
              <Table.Tr key={s.label}>
                <Table.Th scope="row">{s.total ? <strong>{s.label}</strong> : s.label}</Table.Th>
                <Table.Td className="num" fw={s.total ? 650 : undefined}>{euros(s.centimes)}</Table.Td>
                <Table.Td aria-hidden className="track mantine-visible-from-sm">
                  <span
                    className="swatch"
                    data-tone={s.total ? undefined : 'soft'}
                    style={{ marginLeft: `${((Math.min(s.from, s.from + s.centimes) - low) / span) * 100}%`, width: `${(Math.abs(s.centimes) / span) * 100}%` }}
                  />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Card>
  )
}

/** Which tariff of which decision billed which volume. */
function Tariffs({ explication: e }: { explication: Explication }) {
  const t = useT()
  return (
    <Card title={t.explication.tariffs} flush pb="sm">
      <div className="table-scroll" role="region" aria-label={t.explication.tariffs} tabIndex={0}>
        <Table className="data-table">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t.explication.tariff}</Table.Th>
              <Table.Th scope="col">{t.tarifs.decision}</Table.Th>
              <Table.Th scope="col">{t.facture.period}</Table.Th>
              <Table.Th scope="col" className="num">{t.explication.days}</Table.Th>
              <Table.Th scope="col" className="num">{t.explication.measured}</Table.Th>
              <Table.Th scope="col" className="num">{t.explication.billed}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {list(e.volumes).map((v) => (
              <Table.Tr key={v.grille + v.du}>
                <Table.Th scope="row">{t.word.service[v.service]} · {v.grille}</Table.Th>
                <Table.Td>{v.deliberation}</Table.Td>
                <Table.Td className="num" ta="left">{day(v.du)} – {dayBefore(v.au)}</Table.Td>
                <Table.Td className="num">{integer(v.jours)}</Table.Td>
                <Table.Td className="num">{cubicMetres(v.mesure_litres)}</Table.Td>
                <Table.Td className="num">{cubicMetres(v.facture_litres)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Card>
  )
}
