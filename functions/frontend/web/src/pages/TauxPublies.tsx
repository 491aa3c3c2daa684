import { Button, NumberInput, SimpleGrid, Text } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, list, ok, type Schemas } from '../api/client'
import { useCommand } from '../api/hooks'
import { can } from '../api/session'
import { day, dayBefore, percent, rate, today } from '../format'
import { useT } from '../i18n'
import { DataTable } from '../ui/DataTable'
import { Ask, DayInput, done, showFields } from '../ui/forms'
import { IconDownload } from '../ui/icons'
import { Loaded } from '../ui/Loaded'
import { Card } from '../ui/Page'

type Bassin = Schemas['TauxDeBassin']

/** Rates of agences de l'eau as they were published, to be imported for a basin. */
export function TauxPublies() {
  const t = useT()
  const query = useQuery({ queryKey: ['taux-publies'], queryFn: ({ signal }) => ok(api.GET('/v1/redevances/publiees', { signal })), staleTime: Infinity })
  const [importing, setImporting] = useState<Bassin>()
  return (
    <Loaded query={query}>
      {({ bassins }) => list(bassins).map((b) => (
        <Card key={b.bassin} mt="lg" flush title={t.taux.title(b.bassin)} aside={can('tarifs:c') && <Button variant="default" size="compact-sm" leftSection={<IconDownload size={14} />} aria-label={`${t.grilles.import} ${b.bassin}`} onClick={() => setImporting(b)}>{t.grilles.import}</Button>}>
          <DataTable
            label={t.taux.title(b.bassin)}
            rows={list(b.taux)}
            id={(r) => r.code + r.du}
            columns={[
              { title: t.taux.levy, head: true, cell: (r) => r.libelle },
              { title: t.taux.dates, cell: (r) => t.taux.between(day(r.du), dayBefore(r.au)) },
              { title: t.taux.rate, num: true, cell: (r) => <>{rate(r.taux_m3_ue)}<Text size="xs" c="dimmed">{r.coefficient_du_service ? t.taux.ofService : r.coefficient_pm < 1000 ? `× ${percent(r.coefficient_pm)}` : ''}</Text></> },
              { title: t.relances.source, wide: true, cell: (r) => <>{r.source}<Text size="xs" c="dimmed">{t.taux.sure[r.confiance]}</Text></> },
            ]}
            empty={null}
          />
          {importing === b && <ImportModal b={b} onClose={() => setImporting(undefined)} />}
        </Card>
      ))}
    </Loaded>
  )
}

function ImportModal({ b, onClose }: { b: Bassin; onClose: () => void }) {
  const t = useT()
  const [error, setError] = useState<string | null>(null)
  const form = useForm({ initialValues: { depuis: `${today().slice(0, 4)}-01-01`, coefficient_eau_pm: '' as number | '', coefficient_assainissement_pm: '' as number | '' } })
  const asked = (service: string) => list(b.taux).some((r) => r.service === service && r.coefficient_du_service && r.au > form.values.depuis)
  const pm = (v: number | '') => (v === '' ? undefined : Math.round(v * 1000))
  const command = useCommand(
    (body: Schemas['ImporterTaux'], header) => ok(api.POST('/v1/redevances/importation', { params: { header }, body })),
    (r) => (onClose(), done(t.taux.imported(list(r.redevances).length, b.bassin))),
  )
  const coefficient = (field: 'coefficient_eau_pm' | 'coefficient_assainissement_pm', label: string) => (
    <NumberInput label={label} description={t.taux.coefficientHint} withAsterisk min={0} max={1} step={0.01} decimalScale={3} decimalSeparator="," allowedDecimalSeparators={[',', '.']} hideControls {...form.getInputProps(field)} />
  )
  return (
    <Ask title={`${t.grilles.import} ${b.bassin}`} opened onClose={onClose} submit={t.grilles.import} busy={command.isPending} error={error} onSubmit={() => command.mutate({ bassin: b.bassin, depuis: form.values.depuis, coefficient_eau_pm: pm(form.values.coefficient_eau_pm), coefficient_assainissement_pm: pm(form.values.coefficient_assainissement_pm) }, { onError: (p) => setError(showFields(form, p)) })}>
      <Text size="sm">{t.taux.importText(b.bassin)}</Text>
      <DayInput label={t.taux.since} withAsterisk {...form.getInputProps('depuis')} />
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {asked('eau') && coefficient('coefficient_eau_pm', t.taux.coefficientWater)}
        {asked('assainissement') && coefficient('coefficient_assainissement_pm', t.taux.coefficientSewerage)}
      </SimpleGrid>
    </Ask>
  )
}
