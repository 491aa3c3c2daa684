import { Box, Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useT } from '../i18n'
import { IconLock, IconSearch } from '../ui/icons'
import { Empty } from '../ui/Loaded'
import { Page } from '../ui/Page'

export function NotFound() {
  const t = useT()
  return (
    <Box component="main" p="xl">
      <Page title={t.error.page} width={640}>
        <Empty icon={IconSearch} title={t.error.pageHint} action={<Button component={Link} to="/" variant="default">{t.error.home}</Button>} />
      </Page>
    </Box>
  )
}

/** A page that the role may not open. */
export function NotYours() {
  const t = useT()
  return <Page title={t.error.forbidden} width={640}><Empty icon={IconLock} title={t.error.forbiddenHint} /></Page>
}
