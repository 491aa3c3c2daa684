import { AppShell, Avatar, Box, Burger, Group, Menu, ScrollArea, Text, UnstyledButton, VisuallyHidden } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { spotlight } from '@mantine/spotlight'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router'
import { useEffect } from 'react'
import { api, ok } from '../api/client'
import { can, logOut, useSession } from '../api/session'
import { useT } from '../i18n'
import { IconChevronDown, IconFileText, IconLogout, IconSearch } from '../ui/icons'
import { Mark } from './Brand'
import { Command } from './Command'
import { entries, homeOf } from './nav'
import { LangSwitch, SchemeSwitch } from './Switches'

/** What surrounds every page: the menu of the role, the search, the person. */
export function Shell() {
  const t = useT()
  const session = useSession()
  const navigate = useNavigate()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [open, menu] = useDisclosure()
  const user = session?.utilisateur
  const links = user ? entries(t, user.role) : []
  const aside = links.length > 1

  useEffect(() => {
    if (!session) void navigate({ to: '/connexion', search: path === '/' ? {} : { vers: path } })
  }, [session, navigate, path])
  useEffect(menu.close, [path]) // eslint-disable-line
  const waiting = useQuery({
    queryKey: ['releves', 'suspects', 'total'],
    queryFn: ({ signal }) => ok(api.GET('/v1/releves/suspects', { params: { query: { limite: 1 } }, signal })),
    enabled: Boolean(user) && can('releves:l'),
    refetchInterval: 60_000,
  })
  if (!user) return null

  const initials = user.nom.split(/\s+/).map((word) => word[0]).slice(0, 2).join('').toUpperCase()
  const active = (to: string) => path === to || (to !== '/' && path.startsWith(`${to}/`))
  return (
    <AppShell header={{ height: 60 }} navbar={aside ? { width: 248, breakpoint: 'md', collapsed: { mobile: !open } } : undefined} padding={{ base: 'md', md: 'xl' }}>
      <a className="skip" href="#contenu">{t.app.skip}</a>
      <AppShell.Header bg="var(--aq-surface)">
        <Group h="100%" px="md" gap="md" wrap="nowrap">
          {aside && <Burger opened={open} onClick={menu.toggle} hiddenFrom="md" size="sm" aria-label={t.app.menu} aria-expanded={open} />}
          <Box w={aside ? { base: 'auto', md: 216 } : 'auto'}>
            <Link to={homeOf(user.role)} className="brand" aria-label={`AquaERP, ${t.nav.home}`}>
              <Mark /> <Box component="span" visibleFrom="xs">AquaERP</Box>
            </Link>
          </Box>
          <Box flex={1} miw={0}>
            {can('abonnes:l') && (
              <button type="button" className="search-trigger" onClick={spotlight.open}>
                <IconSearch size={16} aria-hidden />
                <span>{t.app.searchHint}</span>
                <Box component="kbd" visibleFrom="sm" aria-hidden className="soft" ml="auto" fz={12}>Ctrl K</Box>
              </button>
            )}
          </Box>
          <Group gap={4} wrap="nowrap">
            <Box visibleFrom="xs"><LangSwitch /></Box>
            <SchemeSwitch />
            <Menu position="bottom-end" width={260} withinPortal={false} withInitialFocusPlaceholder={false}>
              <Menu.Target>
                <UnstyledButton px={6} py={4}>
                  <VisuallyHidden>{t.app.account}</VisuallyHidden>
                  <Group gap={8} wrap="nowrap">
                    <Avatar size={32} color="eau" variant="filled" radius="xl" aria-hidden>{initials}</Avatar>
                    <Box visibleFrom="md" ta="left">
                      <Text size="sm" fw={600} lh={1.2}>{user.nom}</Text>
                      <Text size="xs" c="dimmed" lh={1.3}>{t.role[user.role] ?? user.role}</Text>
                    </Box>
                    <IconChevronDown size={14} aria-hidden />
                  </Group>
                </UnstyledButton>
              </Menu.Target>
              <Menu.Dropdown>
                <Box px="sm" py={6}>
                  <Text size="sm" fw={600}>{user.nom}</Text>
                  <Text size="xs" c="dimmed">{user.identifiant}</Text>
                </Box>
                <Menu.Divider />
                <Box hiddenFrom="xs"><LangSwitch item /></Box>
                {user.role === 'administrateur' && <Menu.Item component="a" href="/api/docs" target="_blank" rel="noreferrer" leftSection={<IconFileText size={16} />}>{t.app.api}</Menu.Item>}
                <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void logOut()}>{t.app.logout}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Group>
      </AppShell.Header>

      {aside && (
        <AppShell.Navbar bg="var(--aq-surface)" aria-label={t.app.nav}>
          <ScrollArea p="sm" type="auto">
            {links.map((entry, i) => {
              const { icon: Shape } = entry
              return (
                <div key={entry.to}>
                  {entry.room && entry.room !== links[i - 1]?.room && <div className="nav-title">{entry.room}</div>}
                  <Link to={entry.to} className={`nav-link${active(entry.to) ? ' active' : ''}`} aria-current={active(entry.to) ? 'page' : undefined}>
                    <Shape size={18} stroke={1.7} aria-hidden />
                    {entry.label}
                    {entry.to === '/releves/suspects' && Boolean(waiting.data?.total) && <span className="count num">{waiting.data?.total}</span>}
                  </Link>
                </div>
              )
            })}
          </ScrollArea>
        </AppShell.Navbar>
      )}

      <AppShell.Main id="contenu" tabIndex={-1} style={{ outline: 'none' }}>
        <Outlet />
      </AppShell.Main>
      {can('abonnes:l') && <Command links={links} />}
    </AppShell>
  )
}
