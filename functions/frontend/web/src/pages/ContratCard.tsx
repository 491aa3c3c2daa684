import { Alert, Button, Group, Radio, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { Link as RouterLink } from '@tanstack/react-router'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { address, day, fullName, integer, today } from '../format'
import { useT } from '../i18n'
import { DocumentButton } from '../ui/DocumentButton'
import { EndModal, ManualBillModal } from '../ui/ContractActs'
import { Ask, done, showFields } from '../ui/forms'
import { IconCalculator, IconHourglass, IconSignature } from '../ui/icons'
import { Card, Facts } from '../ui/Page'
import { State } from '../ui/State'
import { TarifSocial } from './TarifSocial'

type Contrat = Schemas['Contrat']

/** A contract with its point of service and its meters, and what can be done with it now. */
export function ContratCard({ contrat: c, actions = true }: { contrat: Contrat; actions?: boolean }) {
  const t = useT()
  const [signing, sign] = useDisclosure()
  const [withdrawing, withdraw] = useDisclosure()
  const [ending, end] = useDisclosure()
  const [billing, bill] = useDisclosure()
  const poses = list(c.poses)
  const pose = poses.at(-1)
  const signed = c.etat === 'EN_RETRACTATION' || c.etat === 'SIGNE'
  const withdrawable = c.etat === 'A_SIGNER' || (signed && (c.retractation_jusqu_au ?? '') >= today())
  const meter = pose?.compteur ?? c.compteur_prevu
  return (
    <Card title={`${t.facture.contract} ${c.numero}`} aside={<State of="contrat" value={c.etat} />}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl" verticalSpacing="sm">
        <Facts
          items={[
            [t.contrats.nature, t.word.contrat[c.nature]],
            c.actif_depuis ? [t.abonne.since, day(c.actif_depuis)] : [t.abonne.wantedFrom, day(c.debut_souhaite)],
            c.resilie_le && [t.resiliations.ended, day(c.resilie_le)],
            c.signe_le && [t.abonne.signedOn, day(c.signe_le)],
            signed && c.retractation_jusqu_au && [t.abonne.withdrawUntil, day(c.retractation_jusqu_au)],
            [t.subscribe.mode, t.word.mode[c.mode_paiement]],
          ]}
        />
        <Facts
          items={[
            [t.abonne.pdl, c.pdl.reference],
            [t.interventions.place, address(c.pdl.adresse)],
            [t.abonne.sewer, c.pdl.assainissement ? t.yes : t.no],
            meter && [pose ? t.abonne.meter : t.abonne.planned, `${meter.serie} · DN ${meter.calibre_mm}`],
            pose && [t.abonne.placed, `${day(pose.du)}, ${t.abonne.index.toLowerCase()} ${integer(pose.index_debut)}`],
          ]}
        />
      </SimpleGrid>
      {poses.length > 1 && (
        <Stack gap={2} mt="sm">
          {poses.slice(0, -1).map((p) => <Text key={p.id} size="xs" c="dimmed">{`${t.abonne.meter} ${p.compteur.serie} : ${day(p.du)} – ${day(p.au)}, ${t.abonne.index.toLowerCase()} ${integer(p.index_debut)} – ${p.index_fin === undefined ? '' : integer(p.index_fin)}`}</Text>)}
        </Stack>
      )}
      {c.etat === 'ACTIF' && can('contrats:l') && <TarifSocial contrat={c.id} />}
      {c.etat === 'SIGNE' && <Alert mt="md" color="eau" icon={<IconHourglass size={18} aria-hidden />}>{t.abonne.waiting}</Alert>}
      {c.etat === 'ACTIF' && (can('factures:l') || can('portail:l')) && (
        <Group justify="flex-end" mt="md" gap="xs">
          <DocumentButton
            label={t.documents.subscription}
            name={`${t.documents.subscription} ${c.numero}`}
            file={`attestation-${c.numero}.pdf`}
            read={() => ok(api.GET('/v1/contrats/{id}/attestation', { params: { path: { id: c.id } }, parseAs: 'blob' }))}
          />
          {can('factures:l') && <Button variant="subtle" component={RouterLink} to="/simuler" search={{ contrat: c.id } as never} leftSection={<IconCalculator size={16} />}>{t.simuler.title}</Button>}
        </Group>
      )}
      {actions && can('contrats:m') && withdrawable && (
        <Group justify="flex-end" mt="md" gap="xs">
          <Button variant="subtle" color="rouge" onClick={withdraw.open}>{t.abonne.withdraw}</Button>
          {c.etat === 'A_SIGNER' && <Button leftSection={<IconSignature size={16} />} onClick={sign.open}>{t.abonne.sign}</Button>}
        </Group>
      )}
      {actions && (c.etat === 'ACTIF' || c.etat === 'RESILIE') && (
        <Group justify="flex-end" mt="md" gap="xs">
          {can('factures:c') && <Button variant="default" onClick={bill.open}>{t.pieces.manual}</Button>}
          {c.etat === 'ACTIF' && can('contrats:m') && <Button variant="subtle" color="rouge" onClick={end.open}>{t.resiliations.end}</Button>}
        </Group>
      )}
      {actions && c.etat === 'ACTIF' && <EndModal contrat={c} opened={ending} onClose={end.close} />}
      {actions && <ManualBillModal contrat={c} opened={billing} onClose={bill.close} />}
      <SignModal contrat={c} opened={signing} onClose={sign.close} />
      <WithdrawModal contrat={c} opened={withdrawing} onClose={withdraw.close} />
    </Card>
  )
}

function SignModal({ contrat: c, opened, onClose }: { contrat: Contrat; opened: boolean; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { signataire: fullName(c.abonne), ou: 'agence' }, validate: { signataire: (v) => (v.trim() ? null : t.form.required) } })
  const command = useCommand(
    (body: Schemas['Signer'], header) => ok(api.POST('/v1/contrats/{id}/signature', { params: { path: { id: c.id }, header }, body })),
    (signed) => {
      done(t.sign.ok(signed.numero))
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    command.mutate({ signataire: form.values.signataire.trim(), a_distance: form.values.ou === 'distance' }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={t.sign.title(c.numero)} opened={opened} onClose={onClose} onSubmit={submit} submit={t.sign.submit} busy={command.isPending} error={error}>
      <TextInput label={t.sign.who} withAsterisk data-autofocus {...form.getInputProps('signataire')} />
      <Radio.Group label={t.sign.where} {...form.getInputProps('ou')}>
        <Stack gap="xs" mt="xs">
          <Radio value="agence" label={t.sign.office} description={t.sign.officeHint} />
          <Radio value="distance" label={t.sign.remote} description={t.sign.remoteHint} />
        </Stack>
      </Radio.Group>
      <Text size="sm" c="dimmed">{t.sign.consequence}</Text>
    </Ask>
  )
}

function WithdrawModal({ contrat: c, opened, onClose }: { contrat: Contrat; opened: boolean; onClose: () => void }) {
  const t = useT()
  const command = useCommand(
    (_: null, header) => ok(api.POST('/v1/contrats/{id}/retractation', { params: { path: { id: c.id }, header } })),
    () => {
      done(t.withdraw.ok)
      onClose()
    },
  )
  return (
    <Ask title={t.withdraw.title(c.numero)} danger opened={opened} onClose={onClose} onSubmit={() => command.mutate(null)} submit={t.withdraw.submit} busy={command.isPending} error={command.error?.message}>
      <Text size="sm">{t.withdraw.consequence}</Text>
    </Ask>
  )
}
