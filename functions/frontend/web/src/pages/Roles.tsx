import { Alert, Button, Group, Radio, Select, SimpleGrid, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { can } from '../api/session'
import { day, euros, integer, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { DocumentButton } from '../ui/DocumentButton'
import { Ask, DayInput, done, sentence } from '../ui/forms'
import { IconAlertTriangle, IconCircleCheck, IconScale } from '../ui/icons'
import { Empty, Loaded } from '../ui/Loaded'
import { Card } from '../ui/Page'
import { State } from '../ui/State'

type Attente = Schemas['ATransmettre']
type Reglage = Schemas['ReglagePES']
type Role = Schemas['Role']

/** What the comptable public of a public service is asked to collect: what waits, and the bordereaux that were made. */
export function Roles() {
  const t = useT()
  const entites = useQuery({ queryKey: ['entites-comptables'], queryFn: ({ signal }) => ok(api.GET('/v1/comptabilite/entites', { signal })) })
  const [chosen, choose] = useState<string>()
  const regies = list(entites.data?.items).filter((e) => e.regime === 'REGIE')
  const entite = regies.find((e) => e.entite === chosen)?.entite ?? regies[0]?.entite
  return (
    <Loaded query={entites} rows={3}>
      {() =>
        entite ? (
          <Stack gap="lg">
            {regies.length > 1 && <Select label={t.compta.entity} allowDeselect={false} w={{ base: '100%', sm: 320 }} data={regies.map((e) => ({ value: e.entite, label: e.nom || e.entite }))} value={entite} onChange={(v) => v && choose(v)} />}
            <Bordereaux key={entite} entite={entite} />
          </Stack>
        ) : (
          <Empty icon={IconScale} title={t.roles.private}>{t.roles.privateHint}</Empty>
        )
      }
    </Loaded>
  )
}

function Bordereaux({ entite }: { entite: string }) {
  const t = useT()
  const [preparing, prepare] = useState<Attente>()
  const [setting, set] = useState<Reglage>()
  const [answering, answer] = useState<Role>()
  const codes = useQuery({ queryKey: ['pes', entite], queryFn: ({ signal }) => ok(api.GET('/v1/comptabilite/pes', { params: { query: { entite } }, signal })) })
  const pages = usePages(['roles', entite], (curseur, signal) => ok(api.GET('/v1/comptabilite/roles', { params: { query: { entite, curseur } }, signal })))
  return (
    <>
      {codes.data && !codes.data.poste && <Alert color="ambre" icon={<IconAlertTriangle aria-hidden />}>{t.roles.noCodes}</Alert>}
      <Card title={t.roles.waiting} hint={t.roles.waitingHint} aside={can('comptabilite:m') && codes.data && <Button variant="default" onClick={() => set(codes.data)}>{t.roles.codes}</Button>} flush>
        <DataTable
          label={t.roles.waiting}
          rows={pages.first && list(pages.first.a_transmettre)}
          error={pages.error}
          refetch={pages.refetch}
          id={(w) => w.nature + w.exercice + (w.lot_id ?? '')}
          columns={[
            { title: t.roles.what, head: true, cell: (w) => <>{t.roles.natures[w.nature]}{w.libelle && <Text size="xs" c="dimmed">{w.libelle}</Text>}</> },
            { title: t.roles.year, num: true, wide: true, cell: (w) => w.exercice },
            { title: t.roles.pieces, num: true, cell: (w) => integer(w.pieces) },
            { title: t.roles.amount, num: true, cell: (w) => euros(w.ttc_centimes) },
            {
              title: t.roles.act,
              cell: (w) =>
                w.nature === 'HORS_FICHIER' ? <Text size="sm" c="dimmed">{t.roles.onPaper}</Text> : can('comptabilite:v') && <Button size="compact-sm" onClick={() => prepare(w)}>{t.roles.prepare}</Button>,
            },
          ]}
          empty={<Empty icon={IconCircleCheck} title={t.roles.nothing}>{t.roles.nothingHint}</Empty>}
        />
      </Card>
      <Card title={t.roles.made} flush>
        <DataTable
          label={t.roles.made}
          {...pages}
          id={(r) => r.id}
          columns={[
            { title: t.roles.number, head: true, cell: (r) => <><span className="num">{r.exercice}-{r.numero}</span><Text size="xs" c="dimmed">{t.roles.natures[r.nature]}</Text>{r.reprend && <Text size="xs" c="dimmed">{t.roles.takesUp(r.reprend.map((n) => `${r.exercice}-${n}`).join(', '))}</Text>}</> },
            { title: t.roles.object, wide: true, cell: (r) => r.objet },
            { title: t.date, cell: (r) => day(r.date) },
            { title: t.roles.pieces, num: true, wide: true, cell: (r) => integer(r.pieces) },
            { title: t.compta.base, num: true, wide: true, cell: (r) => euros(r.ht_centimes) },
            { title: t.roles.amount, num: true, cell: (r) => euros(r.ht_centimes + r.tva_centimes) },
            { title: t.roles.answer, cell: (r) => r.reponse ? <Answer of={r.reponse} /> : can('comptabilite:v') && <Button size="compact-sm" variant="default" onClick={() => answer(r)}>{t.roles.record}</Button> },
            {
              title: t.roles.file,
              cell: (r) => can('comptabilite:e') && <DocumentButton label="PES v2" name={`PES v2 ${r.fichier}`} size="xs" file={r.fichier} read={() => ok(api.GET('/v1/comptabilite/roles/{id}/fichier', { params: { path: { id: r.id } }, parseAs: 'blob' }))} />,
            },
          ]}
          empty={<Empty icon={IconScale} title={t.roles.none}>{t.roles.noneHint}</Empty>}
        />
      </Card>
      {preparing && <PrepareModal entite={entite} of={preparing} onClose={() => prepare(undefined)} />}
      {answering && <AnswerModal of={answering} onClose={() => answer(undefined)} />}
      {setting && <CodesModal of={setting} onClose={() => set(undefined)} />}
    </>
  )
}

/** Says what is transmitted before it is, because it is once. */
function PrepareModal({ entite, of, onClose }: { entite: string; of: Attente; onClose: () => void }) {
  const t = useT()
  const [objet, setObjet] = useState(of.libelle ?? `${t.roles.natures[of.nature]} ${of.exercice}`)
  const nature = of.nature === 'HORS_FICHIER' ? 'TITRES' : of.nature
  const command = useCommand(
    (_: null, header) => ok(api.POST('/v1/comptabilite/roles', { params: { header }, body: { entite, nature, objet: objet.trim(), ...(of.lot_id ? { lot_id: of.lot_id } : { exercice: of.exercice }) } })),
    (r) => (onClose(), done(t.roles.done(integer(r.numero), integer(r.pieces)))),
  )
  return (
    <Ask title={t.roles.prepare} opened onClose={onClose} submit={t.roles.prepare} busy={command.isPending} error={command.error && sentence(command.error)} disabled={!objet.trim()} onSubmit={() => command.mutate(null)}>
      <Text size="sm">{t.roles.consequence(integer(of.pieces), euros(Math.abs(of.ttc_centimes)))}</Text>
      <TextInput label={t.roles.object} withAsterisk maxLength={160} value={objet} onChange={(e) => setObjet(e.currentTarget.value)} data-autofocus />
    </Ask>
  )
}

function Answer({ of }: { of: Schemas['ReponseRole'] }) {
  const t = useT()
  return (
    <>
      <State of="role" value={of.etat} />
      {of.motif && <div>{of.motif}</div>}
      <div className="soft">{t.roles.notedBy(day(of.le), of.cree_nom)}</div>
    </>
  )
}

/** Says what an answer of the comptable public does before it is recorded, because it is for good. */
function AnswerModal({ of, onClose }: { of: Role; onClose: () => void }) {
  const t = useT()
  const [etat, setEtat] = useState<Schemas['ReponseRole']['etat']>('PRIS_EN_CHARGE')
  const [le, setLe] = useState<string | null>(today())
  const [motif, setMotif] = useState('')
  const refused = etat === 'REFUSE'
  const command = useCommand(
    (body: { etat: typeof etat; le: string; motif?: string }, header) => ok(api.POST('/v1/comptabilite/roles/{id}/reponse', { params: { header, path: { id: of.id } }, body })),
    () => (onClose(), done(t.roles.recorded)),
  )
  return (
    <Ask
      title={t.roles.answer}
      opened
      danger={refused}
      onClose={onClose}
      submit={t.roles.record}
      busy={command.isPending}
      error={command.error && sentence(command.error)}
      disabled={!le || (refused && !motif.trim())}
      onSubmit={() => command.mutate({ etat, le: le!, motif: refused ? motif.trim() : undefined })}
    >
      <Text size="sm">{t.roles.answerOf(`${of.exercice}-${of.numero}`, integer(of.pieces), euros(of.ht_centimes + of.tva_centimes))}</Text>
      <Radio.Group label={t.roles.answer} value={etat} onChange={(v) => setEtat(v as typeof etat)}>
        <Group mt="xs">
          {(['PRIS_EN_CHARGE', 'REFUSE'] as const).map((v) => <Radio key={v} value={v} label={t.state.role[v]} />)}
        </Group>
      </Radio.Group>
      <DayInput label={t.roles.answerDay} minDate={of.date} maxDate={today()} withAsterisk value={le} onChange={setLe} />
      {refused && <Textarea label={t.roles.answerReason} withAsterisk autosize maxLength={200} value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />}
      <Alert color="eau" title={t.paymentActs.effect}><Text size="sm">{t.roles.answerEffect[etat]}</Text></Alert>
    </Ask>
  )
}

/** The codes that the accounting post gives. */
function CodesModal({ of, onClose }: { of: Reglage; onClose: () => void }) {
  const t = useT()
  const [poste, setPoste] = useState(of.poste ?? '')
  const [siret, setSIRET] = useState(of.siret ?? '')
  const [collectivite, setCollectivite] = useState(of.collectivite ?? '')
  const [budget, setBudget] = useState(of.budget ?? '')
  const [libelle, setLibelle] = useState(of.libelle ?? '')
  const [products, setProducts] = useState(list(of.produits))
  const command = useCommand(
    (_: null, header) =>
      ok(api.POST('/v1/comptabilite/pes', {
        params: { header },
        body: { entite: of.entite, poste, siret: siret.replaceAll(' ', ''), collectivite, budget, libelle, produits: products.filter((p) => p.code).map((p) => ({ compte: p.compte, code: p.code! })) },
      })),
    onClose,
  )
  return (
    <Ask title={t.roles.codes} opened onClose={onClose} submit={t.compta.set} busy={command.isPending} error={command.error && sentence(command.error)} onSubmit={() => command.mutate(null)}>
      <Text size="sm" c="dimmed">{t.roles.codesHint}</Text>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput label={t.roles.post} withAsterisk maxLength={7} value={poste} onChange={(e) => setPoste(e.currentTarget.value)} data-autofocus />
        <TextInput label="SIRET" withAsterisk inputMode="numeric" maxLength={18} value={siret} onChange={(e) => setSIRET(e.currentTarget.value)} />
        <TextInput label={t.roles.authority} withAsterisk maxLength={3} value={collectivite} onChange={(e) => setCollectivite(e.currentTarget.value)} />
        <TextInput label={t.roles.budget} withAsterisk maxLength={2} value={budget} onChange={(e) => setBudget(e.currentTarget.value)} />
      </SimpleGrid>
      <TextInput label={t.roles.budgetName} withAsterisk maxLength={38} value={libelle} onChange={(e) => setLibelle(e.currentTarget.value)} />
      <Text size="sm" fw={600}>{t.roles.products}</Text>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        {products.map((p, i) => (
          <TextInput key={p.compte} label={`${p.compte} ${p.libelle}`} maxLength={4} value={p.code ?? ''} onChange={(e) => { const code = e.currentTarget.value; setProducts(products.map((o, k) => (k === i ? { ...o, code } : o))) }} />
        ))}
      </SimpleGrid>
    </Ask>
  )
}
