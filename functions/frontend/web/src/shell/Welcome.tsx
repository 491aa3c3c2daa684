import { Box, Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { useT } from '../i18n'
import { Mark } from './Brand'
import { LangSwitch, SchemeSwitch } from './Switches'

/** What one sees before there is a session. */
export function Welcome({ children }: { children: ReactNode }) {
  const t = useT()
  return (
    <div className="login">
      <aside className="login-art" aria-label="AquaERP">
        <svg className="waves" viewBox="0 0 800 500" preserveAspectRatio="none" aria-hidden>
          <path d="M0 120C130 60 270 60 400 120s270 60 400 0v380H0z" fill="#0f5f87" />
          <path d="M0 220c130 60 270 60 400 0s270-60 400 0v280H0z" fill="#156f9b" />
          <path d="M0 340c130-50 270-50 400 0s270 50 400 0v160H0z" fill="#0d567c" />
        </svg>
        <Group gap={12}><Mark size={36} /><Text fw={680} fz={22}>AquaERP</Text></Group>
        <div className="pitch">
          <Text fz={26} fw={640} lh={1.25} maw={420}>{t.app.tagline}</Text>
          <Text mt="sm" maw={420}>{t.app.pitch}</Text>
        </div>
      </aside>
      <main className="login-form">
        <Group gap={4} pos="absolute" top={16} right={16}><LangSwitch /><SchemeSwitch /></Group>
        <Box w="100%" maw={380}>
          {children}
        </Box>
      </main>
    </div>
  )
}
