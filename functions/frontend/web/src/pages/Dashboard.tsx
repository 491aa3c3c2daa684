import { Alert, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link as RouterLink } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { list, type Schemas } from '../api/client'
import { tableau } from '../api/queries'
import { can, useSession } from '../api/session'
import { euros, integer, month, percent } from '../format'
import { useT } from '../i18n'
import { VolumeChart } from '../ui/Chart'
import { type Icon, IconAlertTriangle, IconChevronRight, IconCircleCheck, IconCoinEuro, IconRoute, IconSignature, IconStack2, IconTool } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card, Page } from '../ui/Page'
import type { Tone } from '../ui/State'

export default function Dashboard() {
  const t = useT()
  const session = useSession()
  const query = useQuery(tableau())
  const firstName = session?.utilisateur.nom.split(' ')[0] ?? ''
  return (
    <Page title={t.home.hello(firstName)}>
      <Loaded query={query} rows={8}>
        {(data) => (
          <Stack gap="xl">
            {list(data.indisponibles).length > 0 && <Alert color="ambre">{t.error.partial(list(data.indisponibles).map((p) => (t.word.partie as Record<string, string>)[p] ?? p).join(', '))}</Alert>}
            <Today data={data} />
            <Figures data={data} />
            {data.releves && <Trend volumes={list(data.releves.volumes)} />}
          </Stack>
        )}
      </Loaded>
    </Page>
  )
}

/** What waits for a person, the most urgent first. */
function Today({ data }: { data: Schemas['Tableau'] }) {
  const t = useT()
  const { releves, factures, plans, interventions, contrats } = data
  const tasks = [
    plans && plans.echecs > 0 && <Tile key="echecs" to="/processus?etat=ECHEC" right="processus:l" tone="bad" icon={IconRoute} value={integer(plans.echecs)} label={t.home.echecs(plans.echecs)} />,
    releves && releves.suspects > 0 && <Tile key="suspects" to="/releves/suspects" right="releves:l" tone="warn" icon={IconAlertTriangle} value={integer(releves.suspects)} label={t.home.suspects(releves.suspects)} />,
    factures && factures.lots_a_approuver > 0 && <Tile key="lots" to="/lots" right="lots:l" tone="warn" icon={IconStack2} value={integer(factures.lots_a_approuver)} label={t.home.lots(factures.lots_a_approuver)} />,
    contrats && contrats.a_signer > 0 && <Tile key="signer" to="/contrats?etat=A_SIGNER" right="contrats:l" tone="info" icon={IconSignature} value={integer(contrats.a_signer)} label={t.home.aSigner(contrats.a_signer)} />,
    interventions && interventions.ouvertes > 0 && <Tile key="ouvertes" to="/interventions?etat=OUVERTES" right="interventions:l" tone="info" icon={IconTool} value={integer(interventions.ouvertes)} label={t.home.ouvertes(interventions.ouvertes)} />,
    factures && factures.echu_centimes > 0 && <Tile key="echu" to="/lots" right="lots:l" tone="bad" icon={IconCoinEuro} value={euros(factures.echu_centimes)} label={t.home.echu(factures.impayees)} />,
  ].filter(Boolean)
  return (
    <Stack component="section" gap="sm" aria-labelledby="today">
      <Title order={2} id="today">{t.home.today}</Title>
      {tasks.length > 0 ? (
        <SimpleGrid cols={{ base: 1, xs: 2, lg: 3 }} spacing="md">{tasks}</SimpleGrid>
      ) : (
        <Card flush><Empty icon={IconCircleCheck} title={t.home.nothing}>{t.home.nothingHint}</Empty></Card>
      )}
    </Stack>
  )
}

function Figures({ data }: { data: Schemas['Tableau'] }) {
  const t = useT()
  const { contrats, releves, factures, plans } = data
  const share = factures && factures.facture_centimes > 0 ? t.home.collected(percent(Math.round((factures.encaisse_centimes / factures.facture_centimes) * 1000))) : undefined
  const [money, books] = can('comptabilite:l') ? ['/balance', 'comptabilite:l'] : ['/lots', 'lots:l']
  return (
    <Stack component="section" gap="sm" aria-labelledby="figures">
      <Title order={2} id="figures">{t.home.figures}</Title>
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md">
        {contrats && <Tile to="/abonnes" right="abonnes:l" value={integer(contrats.abonnes)} label={t.home.abonnes} />}
        {contrats && <Tile to="/contrats?etat=ACTIF" right="contrats:l" value={integer(contrats.actifs)} label={t.home.actifs} />}
        {contrats && <Tile to="/contrats?etat=SIGNE" right="contrats:l" value={integer(contrats.en_cours)} label={t.home.enCours} />}
        {releves && <Tile to="/tournees" right="tournees:l" value={integer(releves.compteurs)} label={t.home.compteurs} />}
        {factures && <Tile to="/lots" right="lots:l" value={euros(factures.facture_centimes)} label={t.home.facture} hint={t.home.factures(factures.factures)} />}
        {factures && <Tile to={money} right={books} value={euros(factures.encaisse_centimes)} label={t.home.encaisse} hint={share} />}
        {factures && <Tile to={money} right={books} value={euros(factures.reste_centimes)} label={t.home.reste} />}
        {plans && <Tile to="/processus?etat=EN_COURS" right="processus:l" value={integer(plans.en_cours)} label={t.home.plans} />}
      </SimpleGrid>
    </Stack>
  )
}

/** A number that leads to the rows behind it, for who may see them. */
function Tile({ to, right, value, label, hint, icon: Shape, tone }: { to: string; right: string; value: string; label: string; hint?: ReactNode; icon?: Icon; tone?: Tone }) {
  const content = (
    <>
      {Shape && <span className="tile-icon" data-tone={tone}><Shape size={22} stroke={1.7} aria-hidden /></span>}
      <span style={{ flex: 1, minWidth: 0 }}>
        <span className="tile-value num" style={{ display: 'block' }}>{value}</span>
        <span className="tile-label" style={{ display: 'block' }}>{label}</span>
        {hint && <Text component="span" display="block" size="xs" c="dimmed">{hint}</Text>}
      </span>
      {Shape && <IconChevronRight size={16} aria-hidden className="soft" />}
    </>
  )
  const [path, search] = to.split('?')
  if (!can(right)) return <div className="tile">{content}</div>
  return <RouterLink className="tile" to={path!} search={search ? Object.fromEntries(new URLSearchParams(search)) : undefined}>{content}</RouterLink>
}

function Trend({ volumes }: { volumes: Schemas['VolumePeriode'][] }) {
  const t = useT()
  if (volumes.length === 0) return null
  const last = volumes.at(-1)!.mois
  const since = `${Number(last.slice(0, 4)) - 1}${last.slice(4)}`
  const bars = volumes.map((v) => ({ label: month(v.mois), litres: v.volume_litres, tone: v.mois <= since ? ('soft' as const) : undefined }))
  return <VolumeChart title={t.home.trend} data={bars} by={t.chart.month} height={280} names={{ soft: t.home.lastYear, plain: t.home.thisYear }} />
}
