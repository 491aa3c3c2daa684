import { Group } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Schemas } from '../api/client'
import { cubicMetres, day, dayBefore, euros, today } from '../format'
import { useT } from '../i18n'
import { type Column, DataTable } from './DataTable'
import { Link } from './Page'
import { PdfButton } from './PdfButton'
import { State } from './State'

type Facture = Schemas['Facture']

/** The state of a bill as people speak of it: a bill past its date is late. */
export const BillState = ({ facture: f }: { facture: Facture }) => <State of="facture" value={f.numero && f.reste_centimes > 0 && f.echeance < today() ? 'ECHUE' : f.etat} />

interface Props {
  pages: { rows: Facture[] | undefined; error: unknown; refetch: () => unknown; hasNextPage: boolean; fetchNextPage: () => unknown; isFetchingNextPage: boolean }
  label: string
  empty: ReactNode
  /** Who the bill is for: in a lot, not in a person's own list. */
  withClient?: boolean
}

export function Bills({ pages, label, empty, withClient }: Props) {
  const t = useT()
  const columns: (Column<Facture> | false | undefined)[] = [
    { title: t.facture.number, head: true, cell: (f) => <Link to={`/factures/${f.id}`} inherit fw={600} className="id">{f.numero ?? t.lot.numberLater}</Link> },
    withClient && { title: t.facture.client, cell: (f) => f.nom },
    { title: t.facture.period, wide: true, cell: (f) => `${day(f.du)} – ${dayBefore(f.au)}` },
    { title: t.facture.volume, num: true, wide: true, cell: (f) => cubicMetres(f.volume_litres) },
    { title: t.facture.amount, num: true, cell: (f) => euros(f.ttc_centimes) },
    { title: t.abonne.state, cell: (f) => <BillState facture={f} /> },
    { title: t.facture.due, wide: true, num: true, cell: (f) => day(f.echeance) },
    { title: t.facture.pdfShort, cell: (f) => <Group justify="center">{f.numero && <PdfButton small id={f.id} numero={f.numero} />}</Group> },
  ]
  return <DataTable label={label} {...pages} id={(f) => f.id} to={(f) => `/factures/${f.id}`} columns={columns.filter((c) => !!c)} empty={empty} />
}
