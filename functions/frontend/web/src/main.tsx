import '@mantine/core/styles.css'
import '@mantine/dates/styles.css'
import '@mantine/notifications/styles.css'
import '@mantine/spotlight/styles.css'
import './theme.css'
import 'dayjs/locale/fr'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { DatesProvider } from '@mantine/dates'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import dayjs from 'dayjs'
import customParseFormat from 'dayjs/plugin/customParseFormat'
import { setNonce } from 'get-nonce'
import { StrictMode, useEffect } from 'react'
import { createRoot } from 'react-dom/client'
import { asProblem } from './api/problem'
import { resume } from './api/session'
import { useLang } from './i18n'
import { router } from './router'
import { cssVariables, theme } from './theme'

dayjs.extend(customParseFormat)

// The style elements that libraries add while running carry the page's nonce.
const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? ''
setNonce(nonce)

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && [0, 502, 503, 504].includes(asProblem(error).status),
    },
  },
})

function App() {
  const lang = useLang()
  useEffect(() => {
    document.documentElement.lang = lang
  }, [lang])
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" colorSchemeManager={localStorageColorSchemeManager({ key: 'aquaerp-scheme' })} getStyleNonce={() => nonce}>
      <DatesProvider settings={{ locale: lang, firstDayOfWeek: 1 }}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
          <Notifications position="bottom-right" autoClose={5000} />
        </QueryClientProvider>
      </DatesProvider>
    </MantineProvider>
  )
}

// Whether there is a session decides what is shown first.
await resume().catch(() => null)
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
