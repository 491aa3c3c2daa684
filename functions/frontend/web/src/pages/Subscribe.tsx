import { Alert, Button, Checkbox, Combobox, Grid, Group, Loader, SegmentedControl, Select, SimpleGrid, Stack, Stepper, Text, TextInput, Title, useCombobox } from '@mantine/core'
import { useForm, type UseFormReturnType } from '@mantine/form'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { ficheAbonne } from '../api/queries'
import { address, addDays, fullName, today } from '../format'
import { useT } from '../i18n'
import { DayInput, done, showFields, WholeInput } from '../ui/forms'
import { Numbers, siren, siret } from '../ui/Numbers'
import { Card, Page } from '../ui/Page'

type Nouveau = Schemas['NouvelAbonne']
interface Values {
  connu: '' | 'oui'
  abonne_id: string
  abonne: Nouveau & { prenom: string; siren: string; siret: string; numero_tva: string; email: string; telephone: string }
  pdl: Schemas['NouveauPDL'] & { secteur: string }
  compteur: Schemas['NouveauCompteur']
  nature: Schemas['Souscrire']['nature']
  mode_paiement: Schemas['Souscrire']['mode_paiement']
  debut_souhaite: string
  execution_immediate: boolean
}

const adresse = { voie: '', complement: '', code_postal: '', commune: '' }
const blank = (): Values => ({
  connu: '',
  abonne_id: '',
  abonne: { nature: 'PERSONNE', nom: '', prenom: '', siren: '', siret: '', numero_tva: '', email: '', telephone: '', adresse: { ...adresse } },
  pdl: { reference: '', adresse: { ...adresse }, code_insee: '', secteur: '', logements: 1, habitation: true, residence_principale: 'OUI', assainissement: true },
  compteur: { serie: '', calibre_mm: 15, roues: 5, litres_par_unite: 1000, annee: Number(today().slice(0, 4)) },
  nature: 'INDIVIDUEL',
  mode_paiement: 'PRELEVEMENT',
  debut_souhaite: today(),
  execution_immediate: true,
})

const draftKey = 'aquaerp-souscription'
const steps = ['abonne', 'pdl', 'compteur', 'contrat'] as const
/** The step that holds a field. */
const stepOf = (path: string) => Math.max(0, steps.findIndex((step) => (step === 'abonne' ? /^(abonne|connu)/ : step === 'contrat' ? /^(nature|mode|debut|execution)/ : new RegExp(`^${step}`)).test(path)))

export default function Subscribe() {
  const t = useT()
  const navigate = useNavigate()
  const { abonne: preset } = useSearch({ strict: false }) as { abonne?: string }
  const [step, setStep] = useState(0)
  const [error, setError] = useState<string | null>(null)
  const [draft] = useState(() => (preset ? null : sessionStorage.getItem(draftKey)))
  const required = (v: string) => (v.trim() ? null : t.form.required)
  const postcode = (v: string) => (/^\d{5}$/.test(v) ? null : t.form.postcode)
  const form = useForm<Values>({
    initialValues: draft ? (JSON.parse(draft) as Values) : { ...blank(), ...(preset ? { connu: 'oui', abonne_id: preset } : {}) },
    validateInputOnBlur: true,
    validate: (v) => {
      const errors: Record<string, string | null> = {}
      if (v.connu) errors.abonne_id = required(v.abonne_id)
      else {
        errors['abonne.nom'] = required(v.abonne.nom)
        if (v.abonne.nature === 'ORGANISATION') {
          errors['abonne.siren'] = v.abonne.siren && !siren(v.abonne.siren) ? t.form.siren : null
          errors['abonne.siret'] = v.abonne.siret && !siret(v.abonne.siret) ? t.form.siret : null
        }
        errors['abonne.email'] = v.abonne.email && !/^\S+@\S+\.\S+$/.test(v.abonne.email) ? t.form.email : null
        errors['abonne.adresse.voie'] = required(v.abonne.adresse.voie)
        errors['abonne.adresse.code_postal'] = postcode(v.abonne.adresse.code_postal)
        errors['abonne.adresse.commune'] = required(v.abonne.adresse.commune)
      }
      errors['pdl.reference'] = required(v.pdl.reference)
      errors['pdl.adresse.voie'] = required(v.pdl.adresse.voie)
      errors['pdl.adresse.code_postal'] = postcode(v.pdl.adresse.code_postal)
      errors['pdl.adresse.commune'] = required(v.pdl.adresse.commune)
      errors['pdl.code_insee'] = /^[0-9AB]{5}$/i.test(v.pdl.code_insee) ? null : t.form.postcode
      errors['compteur.serie'] = required(v.compteur.serie)
      errors.debut_souhaite = required(v.debut_souhaite ?? '')
      return errors
    },
    onValuesChange: (values) => sessionStorage.setItem(draftKey, JSON.stringify(values)),
  })
  const known = useQuery({ ...ficheAbonne(form.values.abonne_id), enabled: Boolean(form.values.abonne_id) })

  const command = useCommand(
    (body: Schemas['Souscrire'], header) => ok(api.POST('/v1/contrats', { params: { header }, body })),
    (contrat) => {
      sessionStorage.removeItem(draftKey)
      done(t.subscribe.ok(contrat.numero))
      void navigate({ to: '/abonnes/$id', params: { id: contrat.abonne.id } })
    },
  )

  /** Goes on when nothing in this step is wrong; errors of later steps wait for their turn. */
  const go = (to: number) => {
    setError(null)
    if (to <= step) return setStep(to)
    const wrong = Object.keys(form.validate().errors).map(stepOf)
    const first = wrong.length ? Math.min(...wrong) : steps.length
    form.clearErrors()
    if (first < to) form.validate()
    setStep(Math.min(first, to))
  }
  const submit = () => {
    const { errors, hasErrors } = form.validate()
    if (hasErrors) return setStep(Math.min(...Object.keys(errors).map(stepOf)))
    const { connu, abonne_id, abonne: typed, pdl, compteur, ...contrat } = form.values
    // A person has neither; what was typed before the nature changed is left aside.
    const abonne = typed.nature === 'ORGANISATION' ? { ...typed, prenom: '' } : { ...typed, siren: '', siret: '', numero_tva: '' }
    const optional = <T extends object>(o: T) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== '')) as T
    const place = <T extends { adresse: Schemas['Adresse'] }>(o: T): T => ({ ...optional(o), adresse: optional(o.adresse) })
    setError(null)
    command.mutate(
      { ...contrat, compteur, pdl: place(pdl), ...(connu ? { abonne_id } : { abonne: place(abonne) }) },
      {
        onError: (problem) => {
          const at = problem.fields.map((f) => stepOf(f.path))
          const show = () => setError(showFields(form, problem) ?? t.form.fix)
          if (at.length) setStep(Math.min(...at))
          setTimeout(show) // once the step with the fields is on the page
        },
      },
    )
  }

  const nom = form.values.connu ? (known.data ? fullName(known.data.abonne) : '') : fullName(form.values.abonne)
  return (
    <Page title={t.subscribe.title} trail={[[t.nav.abonnes, '/abonnes']]} width={860}>
      {draft && (
        <Alert color="eau" mb="md">
          <Group justify="space-between">
            <Text size="sm">{t.subscribe.draft}</Text>
            <Button size="compact-sm" variant="subtle" onClick={() => (form.setValues(blank()), sessionStorage.removeItem(draftKey), setStep(0))}>{t.subscribe.discard}</Button>
          </Group>
        </Alert>
      )}
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          if (step < 3) go(step + 1)
          else submit()
        }}
      >
        <Card>
          <Stepper active={step} onStepClick={go} size="sm" mb="lg" wrap={false}>
            {steps.map((name, i) => <Stepper.Step key={name} label={t.subscribe.steps[name]} aria-current={i === step ? 'step' : undefined} />)}
          </Stepper>
          <Title order={2} size="h3" mb="md">{t.subscribe.steps[steps[step]!]}</Title>
          {step === 0 && <AbonneStep form={form} known={known.data?.abonne} />}
          {step === 1 && <PdlStep form={form} known={known.data?.abonne} />}
          {step === 2 && <MeterStep form={form} />}
          {step === 3 && (
            <Stack gap="md">
              <SimpleGrid cols={{ base: 1, sm: 2 }}>
                <Select label={t.subscribe.type} data={options(t.word.contrat)} allowDeselect={false} {...form.getInputProps('nature')} />
                <Select label={t.subscribe.mode} data={options(t.word.mode).filter(({ value }) => !['MOBILE', 'TIP', 'MANDAT_CASH'].includes(value))} allowDeselect={false} {...form.getInputProps('mode_paiement')} />
                <DayInput label={t.subscribe.debut} minDate={addDays(today(), -365)} maxDate={addDays(today(), 365)} withAsterisk {...form.getInputProps('debut_souhaite')} />
              </SimpleGrid>
              <Checkbox label={t.subscribe.early} {...form.getInputProps('execution_immediate', { type: 'checkbox' })} />
              <Alert color="eau" title={t.subscribe.recap}>{t.subscribe.recapText(nom, address(form.values.pdl.adresse), form.values.compteur.serie)}</Alert>
            </Stack>
          )}
          {error && <Alert color="rouge" role="alert" mt="md">{error}</Alert>}
          <Group justify="space-between" mt="xl">
            <Button variant="default" disabled={step === 0} onClick={() => go(step - 1)}>{t.back}</Button>
            <Button type="submit" loading={command.isPending}>{step < 3 ? t.next : t.subscribe.submit}</Button>
          </Group>
        </Card>
      </form>
    </Page>
  )
}

type Form = UseFormReturnType<Values>
const options = (words: Record<string, string>) => Object.entries(words).map(([value, label]) => ({ value, label }))

function AbonneStep({ form, known }: { form: Form; known?: Schemas['Abonne'] }) {
  const t = useT()
  const organisation = form.values.abonne.nature === 'ORGANISATION'
  return (
    <Stack gap="md">
      <SegmentedControl aria-label={t.subscribe.who} data={[{ value: '', label: t.subscribe.fresh }, { value: 'oui', label: t.subscribe.known }]} {...form.getInputProps('connu')} />
      {form.values.connu ? (
        <AbonneSearch form={form} known={known} />
      ) : (
        <>
          <SegmentedControl w="fit-content" size="xs" aria-label={t.subscribe.nature} data={options(t.word.abonne)} {...form.getInputProps('abonne.nature')} />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {!organisation && <TextInput label={t.subscribe.prenom} maxLength={120} {...form.getInputProps('abonne.prenom')} />}
            <TextInput label={organisation ? t.subscribe.raison : t.subscribe.nom} maxLength={120} withAsterisk {...form.getInputProps('abonne.nom')} />
            {organisation && <Numbers form={form} at="abonne." />}
            <TextInput label={t.subscribe.email} type="email" description={t.subscribe.emailHint} inputWrapperOrder={['label', 'input', 'description', 'error']} {...form.getInputProps('abonne.email')} />
            <TextInput label={t.subscribe.telephone} type="tel" maxLength={20} {...form.getInputProps('abonne.telephone')} />
          </SimpleGrid>
          <Address form={form} at="abonne.adresse" />
        </>
      )}
    </Stack>
  )
}

function Address({ form, at }: { form: Form; at: string }) {
  const t = useT()
  return (
    <Grid>
      <Grid.Col span={{ base: 12, sm: 8 }}><TextInput label={t.subscribe.voie} maxLength={120} withAsterisk {...form.getInputProps(`${at}.voie`)} /></Grid.Col>
      <Grid.Col span={{ base: 12, sm: 4 }}><TextInput label={t.subscribe.complement} maxLength={120} {...form.getInputProps(`${at}.complement`)} /></Grid.Col>
      <Grid.Col span={{ base: 5, sm: 4 }}><TextInput label={t.subscribe.codePostal} inputMode="numeric" maxLength={5} withAsterisk {...form.getInputProps(`${at}.code_postal`)} /></Grid.Col>
      <Grid.Col span={{ base: 7, sm: 8 }}><TextInput label={t.subscribe.commune} maxLength={80} withAsterisk {...form.getInputProps(`${at}.commune`)} /></Grid.Col>
    </Grid>
  )
}

function AbonneSearch({ form, known }: { form: Form; known?: Schemas['Abonne'] }) {
  const t = useT()
  const combobox = useCombobox()
  const [typed, setTyped] = useState('')
  const [q] = useDebouncedValue(typed.trim(), 200)
  useEffect(() => {
    if (known) setTyped(fullName(known))
  }, [known])
  const found = useQuery({ queryKey: ['abonnes', 'find', q], queryFn: ({ signal }) => ok(api.GET('/v1/abonnes', { params: { query: { q, limite: 8 } }, signal })), enabled: q.length >= 2 })
  return (
    <Combobox
      store={combobox}
      onOptionSubmit={(id) => {
        form.setFieldValue('abonne_id', id)
        combobox.closeDropdown()
      }}
    >
      <Combobox.Target>
        <TextInput
          label={t.subscribe.find} description={t.subscribe.findHint} withAsterisk value={typed} error={form.errors.abonne_id} data-path="abonne_id"
          rightSection={found.isFetching ? <Loader size={16} /> : null}
          onChange={(e) => {
            setTyped(e.currentTarget.value)
            form.setFieldValue('abonne_id', '')
            combobox.openDropdown()
          }}
          onClick={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={q.length < 2}>
        <Combobox.Options aria-label={t.app.abonnes}>
          {list(found.data?.items).map((a) => (
            <Combobox.Option key={a.id} value={a.id}>
              <Text size="sm" fw={550}>{fullName(a)}</Text>
              <Text size="xs" c="dimmed">{[a.pdl, a.lieu].filter(Boolean).join(' · ')}</Text>
            </Combobox.Option>
          ))}
          {found.data && list(found.data.items).length === 0 && <Combobox.Empty>{t.app.nothing}</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}

function PdlStep({ form, known }: { form: Form; known?: Schemas['Abonne'] }) {
  const t = useT()
  const from = form.values.connu ? known?.adresse : form.values.abonne.adresse
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <TextInput label={t.subscribe.reference} maxLength={40} withAsterisk placeholder="PDL-00042" {...form.getInputProps('pdl.reference')} />
        <TextInput label={t.subscribe.insee} maxLength={5} withAsterisk placeholder="44067" {...form.getInputProps('pdl.code_insee')} />
        <TextInput label={t.subscribe.secteur} maxLength={40} {...form.getInputProps('pdl.secteur')} />
      </SimpleGrid>
      {from?.voie && <Button variant="light" size="compact-sm" w="fit-content" onClick={() => form.setFieldValue('pdl.adresse', { ...adresse, ...from })}>{t.subscribe.same}</Button>}
      <Address form={form} at="pdl.adresse" />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <WholeInput label={t.subscribe.logements} min={1} max={5000} withAsterisk {...form.getInputProps('pdl.logements')} />
        <Select label={t.subscribe.residence} description={t.subscribe.residenceHint} inputWrapperOrder={['label', 'input', 'description', 'error']} data={options(t.word.residence)} allowDeselect={false} {...form.getInputProps('pdl.residence_principale')} />
      </SimpleGrid>
      <Group gap="xl">
        <Checkbox label={t.subscribe.habitation} {...form.getInputProps('pdl.habitation', { type: 'checkbox' })} />
        <Checkbox label={t.subscribe.sewer} {...form.getInputProps('pdl.assainissement', { type: 'checkbox' })} />
      </Group>
    </Stack>
  )
}

function MeterStep({ form }: { form: Form }) {
  const t = useT()
  const number = (path: string) => {
    const props = form.getInputProps(path)
    return { ...props, value: String(props.value), onChange: (v: string | null) => props.onChange(Number(v)) }
  }
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <TextInput label={t.subscribe.serie} description={t.subscribe.serieHint} inputWrapperOrder={['label', 'input', 'description', 'error']} maxLength={40} withAsterisk {...form.getInputProps('compteur.serie')} />
      <Select label={t.subscribe.calibre} data={[15, 20, 25, 30, 40, 50, 60, 65, 80, 100, 125, 150, 200].map(String)} allowDeselect={false} {...number('compteur.calibre_mm')} />
      <WholeInput label={t.subscribe.roues} min={1} max={9} {...form.getInputProps('compteur.roues')} />
      <Select label={t.subscribe.unite} data={[{ value: '1000', label: t.subscribe.m3 }, { value: '100', label: t.subscribe.hl }, { value: '10', label: t.subscribe.dal }, { value: '1', label: t.subscribe.l }]} allowDeselect={false} {...number('compteur.litres_par_unite')} />
      <WholeInput label={t.subscribe.annee} thousandSeparator="" min={1950} max={2100} {...form.getInputProps('compteur.annee')} />
    </SimpleGrid>
  )
}
