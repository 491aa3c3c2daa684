import type { ButtonProps } from '@mantine/core'
import { api, ok } from '../api/client'
import { useT } from '../i18n'
import { DocumentButton } from './DocumentButton'

/** Downloads the PDF of an issued bill, or a copy that says it is one. */
export function PdfButton({ id, numero, duplicata, ...rest }: { id: string; numero: string; duplicata?: boolean; small?: boolean } & ButtonProps) {
  const t = useT()
  const label = duplicata ? t.documents.copy : t.facture.pdf
  const read = () => ok(api.GET('/v1/factures/{id}/pdf', { params: { path: { id }, query: { duplicata } }, parseAs: 'blob' }))
  return <DocumentButton label={label} name={`${label} ${numero}`} file={duplicata ? `${numero}-duplicata.pdf` : `${numero}.pdf`} read={read} {...rest} />
}
