import { ActionIcon, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { lang, setLang, useT } from '../i18n'
import { IconLanguage, IconMoon, IconSun } from '../ui/icons'

export function SchemeSwitch() {
  const t = useT()
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false })
  const label = scheme === 'light' ? t.app.dark : t.app.light
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" c="inherit" size="lg" aria-label={label} onClick={() => setColorScheme(scheme === 'light' ? 'dark' : 'light')}>
        {scheme === 'light' ? <IconMoon size={18} /> : <IconSun size={18} />}
      </ActionIcon>
    </Tooltip>
  )
}

export function LangSwitch({ item }: { item?: boolean }) {
  const t = useT()
  const other = lang() === 'fr' ? 'en' : 'fr'
  const change = () => setLang(other)
  if (item) return <Menu.Item leftSection={<IconLanguage size={16} />} onClick={change} lang={other}>{t.app.lang}</Menu.Item>
  return (
    <Tooltip label={t.app.lang}>
      <ActionIcon variant="subtle" color="gray" c="inherit" size="lg" aria-label={t.app.lang} lang={other} onClick={change}>
        <IconLanguage size={18} />
      </ActionIcon>
    </Tooltip>
  )
}
