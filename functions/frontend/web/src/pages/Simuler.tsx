import { Alert, Grid, Select, SimpleGrid, Slider, Stack, Switch, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { asProblem } from '../api/problem'
import { ficheAbonne } from '../api/queries'
import { can, useSession } from '../api/session'
import { cubicMetres, day, euros, integer, today } from '../format'
import { useLang, useT } from '../i18n'
import { DayInput, sentence, WholeInput } from '../ui/forms'
import { Explained } from '../ui/Explained'
import { Loading } from '../ui/Loaded'
import { Card, Figure, Page } from '../ui/Page'

type Demande = Schemas['SimulerFacture']

/** What a volume would cost: for one of one's own contracts, for a given contract, or for a place that is described. */
export default function Simuler() {
  const t = useT()
  const lang = useLang()
  const { contrat } = useSearch({ strict: false }) as { contrat?: string }
  const abonne = useSession()?.utilisateur.abonne_id
  const fiche = useQuery({ ...ficheAbonne(abonne ?? ''), enabled: Boolean(abonne) })
  const mine = list(fiche.data?.contrats).filter((c) => c.etat === 'ACTIF')
  const [chosen, choose] = useState<string>()
  const year = Number(today().slice(0, 4))
  const [ask, setAsk] = useState<Omit<Demande, 'contrat_id'>>({ volume_litres: 120_000, du: `${year}-01-01`, au: `${year + 1}-01-01`, assainissement: true })
  const change = (part: Partial<Demande>) => setAsk((before) => ({ ...before, ...part }))
  const contratID = abonne ? (chosen ?? mine[0]?.id) : contrat
  const [body] = useDebouncedValue<Demande>(contratID ? { ...ask, contrat_id: contratID, code_insee: undefined, profil: undefined, assainissement: undefined } : ask, 250)
  const query = useQuery({
    queryKey: ['simulation', body],
    queryFn: ({ signal }) => ok(api.POST('/v1/simulations/facture', { body, signal })),
    enabled: Boolean(!abonne || body.contrat_id) && body.du < body.au,
    placeholderData: keepPreviousData,
    retry: false,
  })
  const s = query.data
  return (
    <Page title={t.simuler.title} subtitle={t.simuler.hint}>
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, lg: 4 }}>
          <Card title={t.simuler.what}>
            <Stack gap="md">
              {abonne && mine.length > 1 && <Select label={t.facture.contract} allowDeselect={false} value={contratID} onChange={(id) => choose(id ?? undefined)} data={mine.map((c) => ({ value: c.id, label: c.numero }))} />}
              <div>
                <WholeInput label={t.simuler.volume} value={Math.round(ask.volume_litres / 1000)} max={999_999} onChange={(m3) => change({ volume_litres: (Number(m3) || 0) * 1000 })} />
                <Slider
                  mt="md" mb="xl" max={400} step={5} value={Math.min(400, ask.volume_litres / 1000)} onChange={(m3) => change({ volume_litres: m3 * 1000 })}
                  thumbLabel={t.simuler.volume} label={(m3) => cubicMetres(m3 * 1000)} marks={[0, 120, 240, 400].map((m3) => ({ value: m3, label: integer(m3) }))}
                />
              </div>
              <WholeInput label={t.simuler.dwellings} description={contratID ? t.simuler.dwellingsHint : undefined} min={1} max={100_000} value={ask.logements ?? ''} placeholder="1" onChange={(n) => change({ logements: Number(n) || undefined })} />
              <DayInput label={t.simuler.from} value={ask.du} onChange={(du) => du && change({ du })} />
              <DayInput label={t.simuler.to} value={ask.au} onChange={(au) => au && change({ au })} error={ask.au <= ask.du && t.simuler.order} />
              {!contratID && !abonne && <Place ask={ask} change={change} />}
            </Stack>
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 8 }}>
          {query.error && !query.isFetching ? (
            <Alert color="rouge" role="alert">{sentence(asProblem(query.error))}</Alert>
          ) : abonne && fiche.data && mine.length === 0 ? (
            <Alert color="ambre">{t.espace.noContract}</Alert>
          ) : !s ? (
            <Loading rows={6} />
          ) : (
            <Stack gap="lg" aria-busy={query.isPlaceholderData}>
              <Card>
                <SimpleGrid cols={{ base: 2, sm: 4 }} role="status">
                  <Figure label={t.facture.total} value={euros(s.ttc_centimes)} hint={t.simuler.for(cubicMetres(s.volume_litres), s.jours)} />
                  <Figure label={t.simuler.monthly} value={euros(s.mensuel_centimes)} />
                  <Figure label={t.simuler.perM3} value={s.volume_litres > 0 ? euros(s.m3_centimes) : '–'} hint={t.simuler.perM3Hint} />
                  <Figure label={t.simuler.reference} value={euros(s.reference_120_centimes)} hint={t.simuler.referenceHint(euros(s.reference_m3_centimes))} />
                </SimpleGrid>
                {list(s.resume).map((said) => <Text key={said.fr} size="sm" c="dimmed" mt="md">{said[lang]} {t.simuler.levies(day(s.date_facturation))}</Text>)}
              </Card>
              <Explained explication={s} plain />
            </Stack>
          )}
        </Grid.Col>
      </Grid>
    </Page>
  )
}

const profils = ['INDIVIDUEL', 'COLLECTIF', 'RESIDENTIEL', 'AGRICOLE', 'COMMERCIAL', 'INDUSTRIEL'] as const

/** Where there is no contract: what decides the tariffs. */
function Place({ ask, change }: { ask: Omit<Demande, 'contrat_id'>; change: (part: Partial<Demande>) => void }) {
  const t = useT()
  const communes = useQuery({ queryKey: ['communes'], queryFn: ({ signal }) => ok(api.GET('/v1/communes', { signal })), enabled: can('tarifs:l') })
  const known = list(communes.data?.communes)
  return (
    <>
      {known.length > 0 && <Select clearable label={t.simuler.commune} placeholder={t.simuler.anyCommune} value={ask.code_insee ?? null} onChange={(code) => change({ code_insee: code ?? undefined })} data={known.map((c) => ({ value: c.code_insee, label: `${c.nom} (${c.code_insee})` }))} />}
      <Select clearable label={t.simuler.profile} placeholder={t.simuler.anyProfile} value={ask.profil ?? null} onChange={(profil) => change({ profil: profil ?? undefined })} data={profils.map((p) => ({ value: p, label: t.word.contrat[p] }))} />
      <Switch label={t.simuler.sewer} checked={ask.assainissement ?? false} onChange={(e) => change({ assainissement: e.currentTarget.checked })} />
    </>
  )
}
