import { ActionIcon, Button, Tooltip, type ButtonProps } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api, ok } from '../api/client'
import { asProblem } from '../api/problem'
import { useT } from '../i18n'
import { failed } from './forms'
import { IconDownload } from './icons'

/** Downloads the PDF of an issued bill; a plain link could not carry the token. */
export function PdfButton({ id, numero, small, ...rest }: { id: string; numero: string; small?: boolean } & ButtonProps) {
  const t = useT()
  const download = useMutation({
    mutationFn: () => ok(api.GET('/v1/factures/{id}/pdf', { params: { path: { id } }, parseAs: 'blob' })),
    onSuccess: (pdf) => {
      const link = document.createElement('a')
      link.href = URL.createObjectURL(pdf as unknown as Blob)
      link.download = `${numero}.pdf`
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    },
    onError: (error) => failed(asProblem(error)),
  })
  const label = `${t.facture.pdf} ${numero}`
  if (small)
    return (
      <Tooltip label={t.facture.pdf}>
        <ActionIcon variant="subtle" aria-label={label} loading={download.isPending} onClick={() => download.mutate()}><IconDownload size={18} /></ActionIcon>
      </Tooltip>
    )
  return <Button variant="default" leftSection={<IconDownload size={16} />} loading={download.isPending} onClick={() => download.mutate()} {...rest}>{t.facture.pdf}</Button>
}
