import { Button, FileInput, Select, SimpleGrid, Stack, Text, Textarea } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, euros, instant, integer, today } from '../format'
import { useT } from '../i18n'
import { base64 } from '../ui/base64'
import { DataTable } from '../ui/DataTable'
import { DocumentButton } from '../ui/DocumentButton'
import { Ask, DayInput, done, sentence } from '../ui/forms'
import { IconFileText, IconPlus } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Figure, Link, Page, PageOf } from '../ui/Page'
import { State } from '../ui/State'

type Fiche = Schemas['FicheContentieux']
const natures = ['MISE_EN_DEMEURE', 'RECONNAISSANCE', 'INJONCTION', 'ASSIGNATION', 'SAISIE', 'ACCORD', 'NOTE'] as const

/** A litigation: what is owed, what was done, until when it can be claimed. */
export default function Contentieux() {
  const t = useT()
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useQuery({ queryKey: ['contentieux', id], queryFn: ({ signal }) => ok(api.GET('/v1/contentieux/{id}', { params: { path: { id } }, signal })) })
  const [acting, act] = useDisclosure()
  const [ending, end] = useDisclosure()
  const [givingUp, giveUp] = useState<Schemas['DossierRelance']>()
  return (
    <PageOf title={t.relances.tabs.contentieux} query={query}>
      {(c) => {
        const open = c.etat === 'OUVERT' && can('relances:c')
        return (
          <Page
            title={c.nom}
            trail={[[t.relances.title, '/relances?onglet=contentieux']]}
            state={<State of="contentieux" value={c.etat} />}
            subtitle={`${t.relances.since} ${day(c.ouvert_le)} · ${c.motif}${c.clos_le ? ` · ${day(c.clos_le)} : ${c.issue}` : ''}`}
            actions={<><DocumentButton label={t.relances.archive} file={`contentieux-${c.id.slice(-6)}.zip`} read={() => ok(api.GET('/v1/contentieux/{id}/dossier', { params: { path: { id } }, parseAs: 'blob' }))} />{open && <><Button variant="default" onClick={end.open}>{t.relances.endLitigation}</Button><Button leftSection={<IconPlus size={16} />} onClick={act.open}>{t.relances.addAct}</Button></>}</>}
          >
            <Stack gap="lg">
              <Card>
                <SimpleGrid cols={{ base: 1, sm: 3 }}>
                  <Figure label={t.relances.owed} value={euros(c.reste_centimes)} />
                  <Figure label={t.relances.bills} value={integer(c.factures)} />
                  <Figure label={t.relances.prescription} value={c.prescription_le ? day(c.prescription_le) : '–'} hint={t.relances.prescriptionHint} />
                </SimpleGrid>
              </Card>
              <Card title={t.relances.bills} flush>
                <DataTable
                  label={t.relances.bills}
                  rows={list(c.dossiers)}
                  id={(d) => d.id}
                  columns={[
                    { title: t.relances.bill, head: true, cell: (d) => <Link to={`/factures/${d.facture_id}`} inherit fw={600}>{d.numero}</Link> },
                    { title: t.abonne.state, cell: (d) => <State of="dossier" value={d.etat} /> },
                    { title: t.lots.due, num: true, wide: true, cell: (d) => day(d.echeance) },
                    { title: t.relances.prescription, num: true, wide: true, cell: (d) => day(d.prescription_le) },
                    { title: t.relances.owed, num: true, cell: (d) => euros(d.reste_centimes) },
                    { title: t.relances.act, cell: (d) => open && d.reste_centimes > 0 && !list(c.non_valeurs).some((n) => n.facture_id === d.facture_id && n.etat === 'PROPOSEE') && <Button size="compact-sm" variant="default" onClick={() => giveUp(d)}>{t.relances.propose}</Button> },
                  ]}
                  empty={null}
                />
              </Card>
              <Card title={t.relances.acts} flush>
                <DataTable
                  label={t.relances.acts}
                  rows={list(c.actes)}
                  id={(a) => a.id}
                  columns={[
                    { title: t.date, head: true, cell: (a) => day(a.le) },
                    { title: t.relances.what, cell: (a) => <>{a.libelle}{a.interrompt && <Text size="xs" c="dimmed">{t.relances.interrupts}</Text>}</> },
                    { title: t.relances.detail, wide: true, cell: (a) => a.detail },
                    { title: t.relances.document, cell: (a) => a.document_nom && <DocumentButton small label={a.document_nom} file={a.document_nom} read={() => ok(api.GET('/v1/actes/{id}/document', { params: { path: { id: a.id } }, parseAs: 'blob' }))} /> },
                  ]}
                  empty={<Empty icon={IconFileText} title={t.relances.noAct}>{t.relances.noActHint}</Empty>}
                />
              </Card>
              <Card title={t.relances.history} flush>
                <DataTable
                  label={t.relances.history}
                  rows={list(c.evenements).map((e, i) => ({ ...e, i }))}
                  id={(e) => String(e.i)}
                  columns={[
                    { title: t.date, head: true, cell: (e) => instant(e.le) },
                    { title: t.relances.bill, cell: (e) => e.numero },
                    { title: t.relances.what, cell: (e) => t.relances.events[e.code] },
                    { title: t.relances.detail, wide: true, cell: (e) => e.detail },
                  ]}
                  empty={null}
                />
              </Card>
            </Stack>
            {acting && <ActModal c={c} onClose={act.close} />}
            {ending && <EndModal c={c} onClose={end.close} />}
            {givingUp && <ProposeModal d={givingUp} onClose={() => giveUp(undefined)} />}
          </Page>
        )
      }}
    </PageOf>
  )
}

function ActModal({ c, onClose }: { c: Fiche; onClose: () => void }) {
  const t = useT()
  const [nature, setNature] = useState<(typeof natures)[number]>('MISE_EN_DEMEURE')
  const [le, setLe] = useState(today())
  const [detail, setDetail] = useState('')
  const [file, setFile] = useState<File | null>(null)
  const command = useCommand(
    async (v: { nature: typeof nature; le: string; detail: string; name?: string; size?: number }, header) =>
      ok(api.POST('/v1/contentieux/{id}/actes', {
        params: { path: { id: c.id }, header },
        body: { nature: v.nature, le: v.le, detail: v.detail, ...(file ? { document_nom: file.name, document_mime: file.type, document: await base64(file) } : {}) },
      })),
    () => (onClose(), done(t.relances.actAdded)),
  )
  return (
    <Ask title={t.relances.addAct} opened onClose={onClose} submit={t.relances.addAct} busy={command.isPending} error={command.error && sentence(command.error)} disabled={!detail.trim()} onSubmit={() => command.mutate({ nature, le, detail: detail.trim(), name: file?.name, size: file?.size })}>
      <Select label={t.relances.what} allowDeselect={false} data={natures.map((n) => ({ value: n, label: t.relances.natures[n] }))} value={nature} onChange={(v) => setNature(natures.find((n) => n === v) ?? 'NOTE')} />
      <DayInput label={t.date} value={le} maxDate={today()} onChange={(v) => v && setLe(v)} />
      <Textarea label={t.relances.detail} withAsterisk autosize minRows={2} maxLength={2000} value={detail} onChange={(e) => setDetail(e.currentTarget.value)} />
      <FileInput label={t.relances.document} description={t.relances.documentHint} accept="application/pdf,image/jpeg,image/png" clearable clearButtonProps={{ 'aria-label': t.clear }} value={file} onChange={setFile} />
    </Ask>
  )
}

function EndModal({ c, onClose }: { c: Fiche; onClose: () => void }) {
  const t = useT()
  const [issue, setIssue] = useState('')
  const command = useCommand((body: Schemas['CloreContentieux'], header) => ok(api.POST('/v1/contentieux/{id}/cloture', { params: { path: { id: c.id }, header }, body })), onClose)
  return (
    <Ask title={t.relances.endLitigation} danger opened onClose={onClose} submit={t.relances.endLitigation} busy={command.isPending} error={command.error?.message} disabled={!issue.trim()} onSubmit={() => command.mutate({ issue: issue.trim() })}>
      <Text size="sm">{t.relances.endText(euros(c.reste_centimes))}</Text>
      <Textarea label={t.relances.outcome} withAsterisk data-autofocus autosize minRows={2} maxLength={400} value={issue} onChange={(e) => setIssue(e.currentTarget.value)} />
    </Ask>
  )
}

function ProposeModal({ d, onClose }: { d: Schemas['DossierRelance']; onClose: () => void }) {
  const t = useT()
  const [motif, setMotif] = useState('')
  const command = useCommand((body: Schemas['ProposerNonValeur'], header) => ok(api.POST('/v1/factures/{id}/non-valeur', { params: { path: { id: d.facture_id }, header }, body })), () => (onClose(), done(t.relances.proposed)))
  return (
    <Ask title={t.relances.proposeTitle(d.numero)} opened onClose={onClose} submit={t.relances.propose} busy={command.isPending} error={command.error?.message} disabled={!motif.trim()} onSubmit={() => command.mutate({ motif: motif.trim() })}>
      <Text size="sm">{t.relances.proposeText(euros(d.reste_centimes))}</Text>
      <Textarea label={t.relances.reason} withAsterisk data-autofocus autosize minRows={2} maxLength={400} value={motif} onChange={(e) => setMotif(e.currentTarget.value)} />
    </Ask>
  )
}
