import { Button, Grid, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link as RouterLink } from '@tanstack/react-router'
import { api, list, ok, type Schemas } from '../api/client'
import { compte, ficheAbonne } from '../api/queries'
import { useSession } from '../api/session'
import { day, euros, fullName, today } from '../format'
import { useT } from '../i18n'
import { IconFileInvoice } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Page, PageOf } from '../ui/Page'
import { Mandats } from '../ui/Mandats'
import { NoDebt } from '../ui/NoDebt'
import { PayOnline } from '../ui/PayOnline'
import { PdfButton } from '../ui/PdfButton'
import { Plans } from '../ui/Plans'
import { Textos } from '../ui/Textos'
import { BillState } from '../ui/Bills'
import { AbonneBills, Consumption } from './Abonne'
import { ContratCard } from './ContratCard'

/** The subscriber's own page: the bill and what to do about it come first. */
export default function Espace() {
  const t = useT()
  const id = useSession()?.utilisateur.abonne_id
  const fiche = useQuery({ ...ficheAbonne(id ?? ''), enabled: Boolean(id) })
  if (!id) return <Empty title={t.espace.noContract} />
  return (
    <PageOf title={t.espace.title} query={fiche}>
      {({ abonne, contrats }) => (
        <Page title={t.espace.hello(fullName(abonne))} width={1080}>
          <Stack gap="lg">
            <Grid gap="lg">
              <Grid.Col span={{ base: 12, md: 8 }}><LastBill id={id} mode={list(contrats).find((c) => c.etat === 'ACTIF')?.mode_paiement} /></Grid.Col>
              <Grid.Col span={{ base: 12, md: 4 }}><Balance id={id} /></Grid.Col>
            </Grid>
            <Consumption id={id} title={t.espace.consumption} />
            <Title order={2}>{t.espace.bills}</Title>
            <AbonneBills id={id} />
            <Plans id={id} />
            <Title order={2}>{t.espace.contract}</Title>
            {list(contrats).map((c) => <ContratCard key={c.id} contrat={c} actions={false} />)}
            <Mandats id={id} titulaire={fullName(abonne)} />
            <Textos id={id} telephone={abonne.telephone} own />
          </Stack>
        </Page>
      )}
    </PageOf>
  )
}

function LastBill({ id, mode }: { id: string; mode?: Schemas['Contrat']['mode_paiement'] }) {
  const t = useT()
  const query = useQuery({ queryKey: ['abonnes', id, 'factures', 'first'], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes/{id}/factures', { params: { path: { id }, query: { limite: 24 } }, signal })) })
  return (
    <Loaded query={query} rows={4}>
      {(page) => {
        const bills = list(page.items).filter((f) => f.numero)
        // The oldest that is still to be paid, else the last one.
        const bill = bills.findLast((f) => f.reste_centimes > 0) ?? bills[0]
        if (!bill?.numero) return <Card flush h="100%"><Empty icon={IconFileInvoice} title={t.espace.nothing}>{t.espace.nothingHint}</Empty></Card>
        const open = bill.reste_centimes > 0
        const late = open && bill.echeance < today()
        return (
          <Card title={t.espace.lastBill} aside={<BillState facture={bill} />} h="100%">
            <Stack gap="md">
              <div>
                <Text fz={34} fw={680} lh={1.15} className="num">{euros(open ? bill.reste_centimes : bill.ttc_centimes)}</Text>
                <Text c={late ? 'var(--mantine-color-error)' : 'dimmed'}>{late ? t.espace.late(day(bill.echeance)) : open ? `${t.espace.toPay} ${day(bill.echeance)}` : t.espace.paid}</Text>
              </div>
              {open && (
                <div>
                  <Text fw={600} size="sm">{t.espace.how}</Text>
                  <Text size="sm">{mode === 'PRELEVEMENT' && !late ? t.espace.howDebit : t.espace.howTransfer(bill.numero)}</Text>
                </div>
              )}
              <Group gap="xs">
                {open && <PayOnline facture={bill.id} abonne={id} />}
                <PdfButton id={bill.id} numero={bill.numero} />
                <Button variant="subtle" component={RouterLink} to={`/factures/${bill.id}`}>{t.espace.detail}</Button>
                <Button variant="subtle" component={RouterLink} to={`/factures/${bill.id}/explication`}>{t.explication.open}</Button>
              </Group>
            </Stack>
          </Card>
        )
      }}
    </Loaded>
  )
}

function Balance({ id }: { id: string }) {
  const t = useT()
  return (
    <Card title={t.espace.balance} h="100%">
      <Loaded query={useQuery(compte(id))} rows={2}>
        {({ solde_centimes: solde }) => (
          <Stack gap="xs">
            <Text fz={24} fw={660} className="num">{euros(Math.abs(solde))}</Text>
            <Text size="sm" c="dimmed">{solde > 0 ? t.espace.owed(euros(solde)) : solde < 0 ? t.espace.credit(euros(-solde)) : t.espace.settled}</Text>
            <Text size="sm" c="dimmed" mt="md">{t.espace.help}</Text>
            {solde <= 0 && <NoDebt id={id} />}
          </Stack>
        )}
      </Loaded>
    </Card>
  )
}
