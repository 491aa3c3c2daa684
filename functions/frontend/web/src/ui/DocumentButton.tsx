import { ActionIcon, Button, Tooltip, type ButtonProps } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { asProblem } from '../api/problem'
import { failed } from './forms'
import { IconDownload } from './icons'

interface Props extends ButtonProps {
  /** What the button says, and a longer name for who does not see what is around it. */
  label: string
  name?: string
  /** Name of the file. */
  file: string
  /** Reads the document from the API, as a blob. */
  read: () => Promise<unknown>
  small?: boolean
  icon?: ReactNode
}

/** Downloads a document of the API; a plain link could not carry the token. A refusal is said in its own words. */
export function DocumentButton({ label, name = label, file, read, small, icon, ...rest }: Props) {
  const download = useMutation({
    mutationFn: read,
    onSuccess: (blob) => {
      const link = document.createElement('a')
      link.href = URL.createObjectURL(blob as Blob)
      link.download = file
      link.click()
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
    },
    onError: (error) => failed(asProblem(error)),
  })
  if (small)
    return (
      <Tooltip label={label}>
        <ActionIcon variant="subtle" aria-label={name} loading={download.isPending} onClick={() => download.mutate()}>{icon ?? <IconDownload size={18} />}</ActionIcon>
      </Tooltip>
    )
  return <Button variant="default" aria-label={name} leftSection={icon ?? <IconDownload size={16} />} loading={download.isPending} onClick={() => download.mutate()} {...rest}>{label}</Button>
}
