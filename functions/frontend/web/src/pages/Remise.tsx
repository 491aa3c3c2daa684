import { Alert, Button, SimpleGrid, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand, usePages } from '../api/hooks'
import { asProblem } from '../api/problem'
import { can } from '../api/session'
import { day, euros, integer } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, done, failed } from '../ui/forms'
import { IconBan, IconCreditCard, IconDownload, IconSend } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Card, Facts, Figure, Link, Page, PageOf } from '../ui/Page'
import { State } from '../ui/State'

/** One file of direct debits: its control before it is written, what became of it after. */
export default function RemisePage() {
  const t = useT()
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useQuery({ queryKey: ['remises', id], queryFn: ({ signal }) => ok(api.GET('/v1/remises/{id}', { params: { path: { id } }, signal })) })
  const [validating, validate] = useDisclosure()
  const [dropping, drop] = useDisclosure()
  return (
    <PageOf title={t.prelevements.title} query={query}>
      {(remise) => (
        <Page
          title={remise.reference}
          trail={[[t.prelevements.title, '/prelevements']]}
          state={<State of="remise" value={remise.etat} />}
          actions={
            <>
              {remise.etat === 'PREPAREE' && can('prelevements:c') && <Button variant="default" leftSection={<IconBan size={16} />} onClick={drop.open}>{t.prelevements.abandon}</Button>}
              {remise.etat === 'PREPAREE' && can('prelevements:v') && remise.nombre > 0 && <Button leftSection={<IconSend size={16} />} onClick={validate.open}>{t.prelevements.validate}</Button>}
              {remise.etat === 'VALIDEE' && can('prelevements:e') && <Download remise={remise} />}
            </>
          }
        >
          <Stack gap="lg">
            <Card>
              <Stack gap="md">
                <SimpleGrid cols={{ base: 2, sm: 4 }}>
                  <Figure label={t.prelevements.debits} value={integer(remise.nombre)} />
                  <Figure label={t.prelevements.amount} value={euros(remise.montant_centimes)} />
                  <Figure label={t.prelevements.settled} value={euros(remise.regles_centimes)} hint={integer(remise.regles)} />
                  <Figure label={t.prelevements.rejected} value={euros(remise.rejetes_centimes)} hint={integer(remise.rejetes)} />
                </SimpleGrid>
                <Text size="sm" lang="fr">{remise.en_lettres}</Text>
                {remise.annonces > 0 && <Text size="sm">{t.prelevements.announced(remise.annonces)}</Text>}
                {remise.sha256 && <Facts items={[[t.prelevements.format, remise.format], [t.prelevements.file, <code key="sha">{remise.sha256}</code>]]} />}
              </Stack>
            </Card>
            <Card title={t.prelevements.lots} flush>
              <DataTable
                label={t.prelevements.lots}
                rows={list(remise.lots)}
                id={(l) => l.sequence + l.date}
                columns={[
                  { title: t.prelevements.sequence, head: true, cell: (l) => t.prelevements.sequences[l.sequence] ?? l.sequence },
                  { title: t.prelevements.day, cell: (l) => day(l.date) },
                  { title: t.prelevements.debits, num: true, cell: (l) => integer(l.nombre) },
                  { title: t.prelevements.amount, num: true, cell: (l) => euros(l.montant_centimes) },
                ]}
                empty={<Empty icon={IconCreditCard} title={t.prelevements.empty} />}
              />
            </Card>
            {remise.nombre_ecartes > 0 && <Excluded remise={remise} />}
            {remise.nombre > 0 && <Debits id={id} />}
          </Stack>
          {validating && <Validate remise={remise} onClose={validate.close} />}
          {dropping && <Drop remise={remise} onClose={drop.close} />}
        </Page>
      )}
    </PageOf>
  )
}

type Remise = Schemas['Remise']

function Excluded({ remise }: { remise: Remise }) {
  const t = useT()
  const title = t.prelevements.excluded(remise.nombre_ecartes, euros(remise.ecartes_centimes))
  return (
    <Card title={title} flush>
      <DataTable
        label={title}
        rows={list(remise.ecartes)}
        id={(e) => e.numero}
        columns={[
          { title: t.prelevements.bill, head: true, cell: (e) => (e.facture_id ? <Link to={`/factures/${e.facture_id}`} inherit className="id">{e.numero}</Link> : e.numero) },
          { title: t.prelevements.holder, cell: (e) => <Link to={`/abonnes/${e.abonne_id}`} inherit>{e.nom}</Link> },
          { title: t.prelevements.amount, num: true, cell: (e) => euros(e.montant_centimes) },
          { title: t.prelevements.why, cell: (e) => t.prelevements.reasons[e.code] ?? e.code },
        ]}
        empty={null}
      />
    </Card>
  )
}

function Debits({ id }: { id: string }) {
  const t = useT()
  const pages = usePages(['remises', id, 'prelevements'], (curseur, signal) => ok(api.GET('/v1/remises/{id}/prelevements', { params: { path: { id }, query: { curseur } }, signal })))
  return (
    <Card title={t.prelevements.debits} flush>
      <DataTable
        label={t.prelevements.debits}
        {...pages}
        id={(p) => p.id}
        columns={[
          { title: t.prelevements.bill, head: true, cell: (p) => (p.facture_id ? <Link to={`/factures/${p.facture_id}`} inherit className="id">{p.numero}</Link> : p.numero) },
          { title: t.prelevements.holder, cell: (p) => <Link to={`/abonnes/${p.abonne_id}`} inherit>{p.nom}</Link> },
          { title: t.prelevements.account, wide: true, cell: (p) => p.iban_masque },
          { title: t.prelevements.day, wide: true, cell: (p) => day(p.date) },
          { title: t.prelevements.amount, num: true, cell: (p) => euros(p.montant_centimes) },
          { title: t.abonne.state, cell: (p) => <><State of="prelevement" value={p.etat} />{p.code_rejet && <Text size="xs" c="dimmed">{p.code_rejet} {p.libelle_rejet}</Text>}</> },
        ]}
        empty={<Empty icon={IconCreditCard} title={t.prelevements.empty} />}
      />
    </Card>
  )
}

function Validate({ remise, onClose }: { remise: Remise; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const command = useCommand(
    (id: string, header) => ok(api.POST('/v1/remises/{id}/validation', { params: { header, path: { id } } })),
    () => (onClose(), done(t.prelevements.validated)),
  )
  return (
    <Ask title={t.prelevements.validate} opened onClose={onClose} submit={t.prelevements.validate} busy={command.isPending} error={error} onSubmit={() => command.mutate(remise.id, { onError: (problem) => setError(problem.message) })}>
      <Text size="sm">{t.prelevements.validateText(remise.nombre, euros(remise.montant_centimes), remise.en_lettres)}</Text>
      {remise.annonces > 0 && <Alert>{t.prelevements.announced(remise.annonces)}</Alert>}
    </Ask>
  )
}

function Drop({ remise, onClose }: { remise: Remise; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const command = useCommand(
    (id: string, header) => ok(api.POST('/v1/remises/{id}/abandon', { params: { header, path: { id } } })),
    () => (onClose(), done(t.prelevements.abandoned)),
  )
  return (
    <Ask title={t.prelevements.abandon} opened danger onClose={onClose} submit={t.prelevements.abandon} busy={command.isPending} error={error} onSubmit={() => command.mutate(remise.id, { onError: (problem) => setError(problem.message) })}>
      <Text size="sm">{t.prelevements.abandonText}</Text>
    </Ask>
  )
}

/** Saves the bank's file; a plain link could not carry the token. */
function Download({ remise }: { remise: Remise }) {
  const t = useT()
  const download = useMutation({
    mutationFn: () => ok(api.GET('/v1/remises/{id}/fichier', { params: { path: { id: remise.id } }, parseAs: 'blob' })),
    onSuccess: (xml) => {
      const link = document.createElement('a')
      link.href = URL.createObjectURL(xml as unknown as Blob)
      link.download = `${remise.reference}.xml`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    },
    onError: (error) => failed(asProblem(error)),
  })
  return <Button leftSection={<IconDownload size={16} />} title={t.prelevements.downloadHint} loading={download.isPending} onClick={() => download.mutate()}>{t.prelevements.download}</Button>
}
