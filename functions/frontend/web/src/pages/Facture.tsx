import { Button, Grid, Group, Stack, Table, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { Link as RouterLink, useParams, useSearch } from '@tanstack/react-router'
import { Fragment } from 'react'
import { list, type Schemas } from '../api/client'
import { facture as factureQuery } from '../api/queries'
import { can } from '../api/session'
import { cubicMetres, day, dayBefore, euros, integer, percent, rate } from '../format'
import { useT } from '../i18n'
import { BillState } from '../ui/Bills'
import { AvoirModal, Corrections, RectificationModal } from '../ui/Corrections'
import { IconCalendarEvent, IconCoinEuro, IconListDetails } from '../ui/icons'
import { Card, Facts, Figure, Link, Page, PageOf } from '../ui/Page'
import { PayModal } from '../ui/PayModal'
import { OnlineResult, PayOnline } from '../ui/PayOnline'
import { PdfButton } from '../ui/PdfButton'
import { PlanModal } from '../ui/Plans'

const rubriques = ['distribution', 'eaux_usees', 'organismes_publics', 'prestations'] as const

export default function FacturePage() {
  const t = useT()
  const { id } = useParams({ strict: false }) as { id: string }
  const { paiement } = useSearch({ strict: false }) as { paiement?: string }
  const [paying, pay] = useDisclosure()
  const [crediting, credit] = useDisclosure()
  const [rectifying, rectify] = useDisclosure()
  const [spreading, spread] = useDisclosure()
  const back: [string, string] = can('portail:l') ? [t.nav.espace, '/espace'] : can('lots:l') ? [t.nav.lots, '/lots'] : [t.nav.abonnes, '/abonnes']
  return (
    <PageOf title={t.lot.bills} query={useQuery(factureQuery(id))}>
      {(f) => (
        <Page
          title={f.nature === 'AVOIR' ? t.pieces.avoir(f.numero ?? '') : f.numero ? t.facture.title(f.numero) : t.facture.draft}
          trail={[back]}
          state={<BillState facture={f} />}
          subtitle={`${f.nom} · ${f.lieu}`}
          actions={
            <>
              <Button variant="default" component={RouterLink} to={`/factures/${f.id}/explication`} leftSection={<IconListDetails size={16} />}>{t.explication.open}</Button>
              {f.numero && <PdfButton id={f.id} numero={f.numero} />}
              {f.numero && can('factures:l') && <PdfButton duplicata id={f.id} numero={f.numero} />}
              {correctible(f) && f.nature !== 'MANUELLE' && <Button variant="default" onClick={rectify.open}>{t.pieces.rectify}</Button>}
              {correctible(f) && <Button variant="default" onClick={credit.open}>{t.pieces.makeAvoir}</Button>}
              {f.numero && f.reste_centimes > 0 && can('paiements:c') && <Button variant="default" leftSection={<IconCalendarEvent size={16} />} onClick={spread.open}>{t.plans.grant}</Button>}
              {f.numero && f.reste_centimes > 0 && can('portail:l') && <PayOnline facture={f.id} abonne={f.abonne_id} />}
              {f.numero && f.reste_centimes > 0 && can('paiements:c') && <Button leftSection={<IconCoinEuro size={16} />} onClick={pay.open}>{t.abonne.pay}</Button>}
            </>
          }
        >
          {paiement && <OnlineResult id={paiement} facture={f.id} />}
          <Grid gap="lg">
            <Grid.Col span={{ base: 12, lg: 8 }}><Lines facture={f} /></Grid.Col>
            <Grid.Col span={{ base: 12, lg: 4 }}>
              <Stack gap="lg">
                <Card>
                  <Figure
                    label={f.reste_centimes > 0 ? t.facture.left : t.facture.total}
                    value={euros(f.reste_centimes > 0 ? f.reste_centimes : f.ttc_centimes)}
                    hint={f.numero && f.reste_centimes === 0 ? t.facture.paid : `${t.facture.due} ${day(f.echeance)}`}
                  />
                </Card>
                <Card>
                  <Facts
                    items={[
                      [t.facture.period, `${day(f.du)} – ${dayBefore(f.au)}`],
                      [t.facture.billed, day(f.date_facturation)],
                      [t.facture.volume, cubicMetres(f.volume_litres)],
                      f.estimee && [t.abonne.index, t.facture.estimated],
                      [t.facture.contract, f.contrat],
                      [t.facture.pdl, f.pdl],
                      can('abonnes:l') && [t.facture.client, <Link key="a" to={`/abonnes/${f.abonne_id}`} inherit>{f.nom}</Link>],
                      f.lot_id !== '' && can('lots:l') && [t.facture.lot, <Link key="l" to={`/lots/${f.lot_id}`} inherit>{t.see}</Link>],
                    ]}
                  />
                </Card>
                <Corrections facture={f} />
              </Stack>
            </Grid.Col>
          </Grid>
          <AvoirModal facture={f} opened={crediting} onClose={credit.close} />
          <RectificationModal facture={f} opened={rectifying} onClose={rectify.close} />
          {spreading && <PlanModal abonne={f.abonne_id} facture={f.id} onClose={spread.close} />}
          <PayModal opened={paying} onClose={pay.close} abonne={f.abonne_id} reference={f.numero} reste={f.reste_centimes} />
        </Page>
      )}
    </PageOf>
  )
}

/** Whether an avoir may take this bill back. */
const correctible = (f: Schemas['Facture']) => Boolean(f.numero) && f.nature !== 'AVOIR' && f.ttc_centimes > 0 && f.etat !== 'ANNULEE_PAR_AVOIR' && f.etat !== 'ADMISE_EN_NON_VALEUR' && can('factures:m')

/** The bill as the law lays it out: three rubriques, then VAT by rate. */
function Lines({ facture: f }: { facture: Schemas['Facture'] }) {
  const t = useT()
  const lignes = list(f.lignes)
  return (
    <Card title={t.facture.lines} flush pb="lg">
      <div className="table-scroll" role="region" aria-label={t.facture.lines} tabIndex={0}>
        <Table className="data-table">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{t.facture.line}</Table.Th>
              <Table.Th scope="col" className="num">{t.facture.qty}</Table.Th>
              <Table.Th scope="col" className="num">{t.facture.price}</Table.Th>
              <Table.Th scope="col" className="num mantine-visible-from-sm">{t.facture.rate}</Table.Th>
              <Table.Th scope="col" className="num">{t.facture.ht}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rubriques.map((rubrique) => {
              const own = lignes.filter((l) => l.rubrique === rubrique)
              if (own.length === 0) return null
              return (
                <Fragment key={rubrique}>
                  <Table.Tr bg="var(--aq-ground)">
                    <Table.Th scope="rowgroup" colSpan={3}>{t.word.rubrique[rubrique]}</Table.Th>
                    <Table.Td className="mantine-visible-from-sm" />
                    <Table.Td className="num" fw={650}>{euros(own.reduce((sum, l) => sum + l.ht_centimes, 0))}</Table.Td>
                  </Table.Tr>
                  {own.map((l, i) => {
                    const fixed = l.code.endsWith('/fixe')
                    return (
                      <Table.Tr key={`${l.code}${i}`}>
                        <Table.Td>{l.libelle}</Table.Td>
                        <Table.Td className="num">{l.quantite ? integer(l.quantite) : fixed ? t.facture.days(l.jours) : l.litres ? cubicMetres(l.litres) : ''}</Table.Td>
                        <Table.Td className="num">{l.prix_ue !== 0 && <>{rate(l.prix_ue)} <span className="soft">{l.quantite ? '' : fixed ? t.facture.perYear : t.facture.perM3}</span></>}</Table.Td>
                        <Table.Td className="num mantine-visible-from-sm">{percent(l.tva_pm)}</Table.Td>
                        <Table.Td className="num">{euros(l.ht_centimes)}</Table.Td>
                      </Table.Tr>
                    )
                  })}
                </Fragment>
              )
            })}
          </Table.Tbody>
        </Table>
      </div>
      <Group justify="space-between" align="flex-start" px="lg" mt="md" gap="xl">
        <div style={{ flex: 1, minWidth: 240 }}>
          <Title order={3} size="sm" mb={4}>{t.facture.vat}</Title>
          <Table className="data-table" horizontalSpacing={0}>
            <Table.Thead><Table.Tr><Table.Th scope="col">{t.facture.rate}</Table.Th><Table.Th scope="col" className="num">{t.facture.base}</Table.Th><Table.Th scope="col" className="num">{t.facture.vatAmount}</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {list(f.tva).map((v) => <Table.Tr key={v.taux_pm}><Table.Th scope="row" className="num">{percent(v.taux_pm)}</Table.Th><Table.Td className="num">{euros(v.base_centimes)}</Table.Td><Table.Td className="num">{euros(v.montant_centimes)}</Table.Td></Table.Tr>)}
            </Table.Tbody>
          </Table>
        </div>
        <Stack gap={4} miw={220}>
          <Facts items={[[t.lot.ht, <span key="ht" className="num">{euros(f.ht_centimes)}</span>], [t.lot.tva, <span key="tva" className="num">{euros(f.tva_centimes)}</span>]]} />
          <Group justify="space-between" mt={4} pt={8} style={{ borderTop: '2px solid var(--aq-line)' }}><Text fw={650}>{t.facture.total}</Text><Text fw={660} fz={20} className="num">{euros(f.ttc_centimes)}</Text></Group>
          {f.volume_litres > 0 && <Text size="xs" c="dimmed" ta="right">{t.facture.litre(rate(Math.round((f.ttc_centimes * 10_000) / f.volume_litres)))}</Text>}
        </Stack>
      </Group>
    </Card>
  )
}
