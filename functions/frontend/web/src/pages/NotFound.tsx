import { Box, Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useT } from '../i18n'
import { IconSearch } from '../ui/icons'
import { Empty } from '../ui/Loaded'

export function NotFound() {
  const t = useT()
  return (
    <Box component="main" py={96}>
      <Empty icon={IconSearch} title={t.error.page} action={<Button component={Link} to="/" variant="default">{t.error.home}</Button>}>{t.error.pageHint}</Empty>
    </Box>
  )
}
