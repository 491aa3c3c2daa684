import { Alert, Button, Group, MultiSelect, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useDisclosure } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { address, instant, integer } from '../format'
import { useT } from '../i18n'
import { Ask, done, failed, sentence, showFields } from '../ui/forms'
import { IconPlus } from '../ui/icons'
import { Loaded } from '../ui/Loaded'
import { Card, Facts, Page } from '../ui/Page'
import { communes } from './GrilleModal'

type Entite = Schemas['FicheEntite']

/** Who issues bills, as their papers print it, and the communes that each bills. */
export default function Entites() {
  const t = useT()
  const e = t.entites
  const query = useQuery({ queryKey: ['entites'], queryFn: ({ signal }) => ok(api.GET('/v1/entites', { signal })) })
  const [adding, add] = useDisclosure()
  const [edited, edit] = useState<Entite>()
  const [given, give] = useState<Entite>()
  const [dropped, drop] = useState<Entite>()
  return (
    <Page title={e.title} subtitle={e.hint} actions={can('entites:c') && <Button leftSection={<IconPlus size={16} />} onClick={add.open}>{e.add}</Button>}>
      <Loaded query={query} rows={8}>
        {({ items }) => (
          <Stack gap="lg">
            {list(items).map((x) => (
              <Card
                key={x.code}
                title={x.nom}
                hint={x.forme || x.code}
                aside={
                  <Group gap="xs" wrap="wrap" justify="flex-end">
                    {can('entites:m') && <Button size="compact-sm" variant="default" onClick={() => give(x)}>{e.giveCommunes}</Button>}
                    {can('entites:m') && <Button size="compact-sm" variant="default" aria-label={`${e.edit} ${x.nom}`} onClick={() => edit(x)}>{e.edit}</Button>}
                    {can('entites:s') && !x.utilisee && <Button size="compact-sm" variant="default" color="rouge" onClick={() => drop(x)}>{e.drop}</Button>}
                  </Group>
                }
              >
                <Stack gap="md">
                  {x.configuree && <Alert color="ambre">{e.configured}</Alert>}
                  <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
                    <Facts
                      items={[
                        [e.prefixe, `${x.prefixe || e.none}${x.numerotee ? ` (${e.fixed})` : ''}`],
                        ['SIRET', x.siret || e.none],
                        [e.tva, x.numero_tva || e.tvaOfSiren],
                        [e.address, address(x.adresse)],
                        [e.contact, [x.telephone, x.email].filter(Boolean).join(' · ') || e.none],
                      ]}
                    />
                    <Facts
                      items={[
                        [e.account, x.iban_masque ? `${x.iban_masque}${x.bic ? ` · ${x.bic}` : ''}` : e.none],
                        [e.ics, x.ics || e.noDebit],
                        [e.communes, list(x.communes).length ? list(x.communes).map((c) => `${c.nom} (${integer(c.contrats)})`).join(', ') : e.noCommune],
                        ...list(x.historique).slice(0, 5).map((h): [string, string] => [instant(h.depuis), `${h.par} : ${list(h.champs).map((c) => e.fields[c] ?? c).join(', ') || (list(h.champs).length === 0 ? e.set : '')}`]),
                      ]}
                    />
                  </SimpleGrid>
                </Stack>
              </Card>
            ))}
          </Stack>
        )}
      </Loaded>
      {(adding || edited) && <EntiteModal of={edited} onClose={() => (add.close(), edit(undefined))} />}
      {given && <CommunesModal of={given} onClose={() => give(undefined)} />}
      {dropped && <DropModal of={dropped} onClose={() => drop(undefined)} />}
    </Page>
  )
}

/** Who an entity is from now on. An account that is left empty stays as it is. */
function EntiteModal({ of, onClose }: { of?: Entite; onClose: () => void }) {
  const t = useT()
  const e = t.entites
  const [error, setError] = useState<string | null>(null)
  const required = (v: string) => (v.trim() ? null : t.form.required)
  const form = useForm({
    initialValues: {
      code: of?.code ?? '', nom: of?.nom ?? '', prefixe: of?.prefixe ?? '', forme: of?.forme ?? '', telephone: of?.telephone ?? '', urgence: of?.urgence ?? '', email: of?.email ?? '',
      siret: of?.siret ?? '', numero_tva: of?.numero_tva ?? '', iban: '', bic: of?.bic ?? '', ics: of?.ics ?? '', format: (of?.format || 'pain.008.001.02') as NonNullable<Schemas['DefinirEntite']['format']>,
      adresse: { voie: of?.adresse.voie ?? '', complement: of?.adresse.complement ?? '', code_postal: of?.adresse.code_postal ?? '', commune: of?.adresse.commune ?? '' },
    },
    validate: {
      code: (v) => (/^[a-z0-9][a-z0-9-]*$/.test(v) ? null : e.codeForm),
      nom: required,
      prefixe: (v) => (/^[A-Z0-9]{0,6}$/.test(v) ? null : e.prefixeForm),
      siret: required,
      adresse: { voie: required, code_postal: (v) => (/^\d{5}$/.test(v) ? null : t.form.postcode), commune: required },
    },
  })
  const command = useCommand(
    (body: Schemas['DefinirEntite'], header) => ok(api.POST('/v1/entites', { params: { header }, body })),
    (x) => {
      done(e.saved(x.nom))
      onClose()
    },
  )
  const submit = () => {
    if (form.validate().hasErrors) return
    const { adresse, ...v } = form.values
    const optional = <T extends object>(o: T) => Object.fromEntries(Object.entries(o).filter(([, x]) => x !== '')) as T
    setError(null)
    command.mutate({ ...optional(v), adresse: optional(adresse) }, { onError: (problem) => setError(showFields(form, problem)) })
  }
  return (
    <Ask title={of ? of.nom : e.add} size="xl" opened onClose={onClose} onSubmit={submit} submit={e.save} busy={command.isPending} error={error}>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <TextInput label={e.code} description={e.codeHint} withAsterisk maxLength={40} disabled={Boolean(of)} {...form.getInputProps('code')} />
        <TextInput label={e.name} withAsterisk maxLength={100} data-autofocus {...form.getInputProps('nom')} />
        <TextInput label={e.prefixe} description={of?.numerotee ? e.fixed : e.prefixeHint} maxLength={6} disabled={of?.numerotee} {...form.getInputProps('prefixe')} />
      </SimpleGrid>
      <TextInput label={e.forme} description={e.formeHint} maxLength={120} {...form.getInputProps('forme')} />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <TextInput label="SIRET" inputMode="numeric" withAsterisk maxLength={25} {...form.getInputProps('siret')} />
        <TextInput label={e.tva} description={e.tvaHint} maxLength={20} {...form.getInputProps('numero_tva')} />
        <TextInput label={t.subscribe.voie} withAsterisk maxLength={120} {...form.getInputProps('adresse.voie')} />
        <TextInput label={t.subscribe.complement} maxLength={120} {...form.getInputProps('adresse.complement')} />
        <TextInput label={t.subscribe.codePostal} inputMode="numeric" withAsterisk maxLength={5} {...form.getInputProps('adresse.code_postal')} />
        <TextInput label={t.subscribe.commune} withAsterisk maxLength={80} {...form.getInputProps('adresse.commune')} />
        <TextInput label={t.subscribe.telephone} type="tel" maxLength={20} {...form.getInputProps('telephone')} />
        <TextInput label={e.urgence} type="tel" maxLength={20} {...form.getInputProps('urgence')} />
        <TextInput label={t.subscribe.email} type="email" {...form.getInputProps('email')} />
        <TextInput label="BIC" maxLength={11} {...form.getInputProps('bic')} />
        <TextInput label="IBAN" description={of?.iban_masque ? e.ibanKept(of.iban_masque) : e.ibanHint} autoComplete="off" maxLength={42} {...form.getInputProps('iban')} />
        <TextInput label={e.ics} description={e.icsHint} maxLength={35} {...form.getInputProps('ics')} />
        {form.values.ics && <Select label={e.format} allowDeselect={false} data={['pain.008.001.02', 'pain.008.001.08']} {...form.getInputProps('format')} />}
      </SimpleGrid>
      <Text size="sm" c="dimmed">{e.consequence}</Text>
    </Ask>
  )
}

/** The communes that an entity bills from their next bills on. */
function CommunesModal({ of, onClose }: { of: Entite; onClose: () => void }) {
  const t = useT()
  const e = t.entites
  const known = useQuery(communes())
  const [chosen, choose] = useState<string[]>([])
  const all = list(known.data?.communes).filter((c) => (c.entite || 'principale') !== of.code)
  const contracts = all.filter((c) => chosen.includes(c.code_insee)).reduce((n, c) => n + c.contrats, 0)
  const command = useCommand(
    (body: Schemas['AttribuerCommunes'], header) => ok(api.POST('/v1/entites/communes', { params: { header }, body })),
    () => {
      done(e.given(of.nom))
      onClose()
    },
  )
  return (
    <Ask title={e.giveTitle(of.nom)} opened onClose={onClose} submit={e.giveCommunes} busy={command.isPending} disabled={chosen.length === 0} error={command.error && sentence(command.error)} onSubmit={() => command.mutate({ entite: of.code, communes: chosen })}>
      <MultiSelect label={e.communes} searchable data-autofocus data={all.map((c) => ({ value: c.code_insee, label: `${c.nom || c.code_insee} (${c.code_insee})` }))} value={chosen} onChange={choose} nothingFoundMessage={t.app.nothing} />
      <Text size="sm" c="dimmed">{e.giveConsequence(integer(contracts), of.nom)}</Text>
    </Ask>
  )
}

function DropModal({ of, onClose }: { of: Entite; onClose: () => void }) {
  const t = useT()
  const command = useCommand(
    (_: null, header) => ok(api.POST('/v1/entites/{code}/retrait', { params: { path: { code: of.code }, header } })),
    () => (done(t.entites.droppedOk(of.nom)), onClose()),
  )
  return (
    <Ask title={t.entites.drop} danger opened onClose={onClose} submit={t.entites.drop} busy={command.isPending} onSubmit={() => command.mutate(null, { onError: failed })}>
      <Text size="sm">{t.entites.dropConsequence(of.nom)}</Text>
    </Ask>
  )
}
