// Every page but a file of debits and a litigation, which 4-plans makes, in a
// light theme at a desk and in a dark one on a phone: axe finds nothing, the
// console is silent, nothing leaves the origin, nothing sticks out.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { base, desktop, launch, loaded, logIn, person, phone, problems, reader } from './harness.mjs'

let browser
const objects = {}
before(async () => {
  browser = await launch()
  const read = await reader('superviseur')
  const last = async (path) => (await read(path)).items.at(-1)?.id
  objects.lot = await last('/lots')
  objects.facture = await last(`/lots/${objects.lot}/factures`)
  objects.abonne = (await read(`/factures/${objects.facture}`)).abonne_id
  objects.plan = await last('/plans')
  objects.intervention = await last('/interventions')
  const espace = await reader('abonne')
  objects.sienne = (await espace(`/abonnes/${espace.utilisateur.abonne_id}/factures`)).items[0]?.id
  for (const [name, id] of Object.entries(objects)) assert.ok(id, `the product has no ${name}`)
  if (process.env.SCREENSHOTS) await mkdir(process.env.SCREENSHOTS, { recursive: true })
})
after(() => browser.close())

const pages = {
  visiteur: ['/connexion', '/invitation', '/invitation#jeton'],
  superviseur: [
    '/', '/abonnes', '/abonnes?q=introuvable', '/abonnes/:abonne', '/contrats', '/contrats?etat=ANNULE', '/tournees', '/releves/suspects', '/lots', '/lots/:lot', '/factures/:facture', '/factures/:facture/explication', '/simuler', '/fuites', '/resiliations', '/prestations',
    '/tarifs', '/tarifs/et-si', '/prelevements', '/banque', '/indicateurs', '/verification', ...['', '?onglet=agee', '?onglet=journal', '?onglet=roles', '?onglet=tva', '?onglet=cloture'].map((tab) => `/balance${tab}`), '/interventions', '/interventions/:intervention', '/processus', '/processus/:plan', '/courrier', '/courrier?onglet=lettres', '/relances', '/relances?onglet=contentieux', '/relances?onglet=regles', '/utilisateurs', '/depots', '/entites', ...['', '?onglet=controles', '?onglet=dates', '?onglet=journal'].map((tab) => `/reglages${tab}`),
    ...['comparaison', 'factures', 'redevances', 'communes', 'exemples'].map((tab) => `/tarifs?onglet=${tab}`),
    ...['rapprochement', 'caisse', 'remises', 'remboursements', 'echeanciers'].map((tab) => `/encaissements?onglet=${tab}`),
    ...['releves', 'factures', 'paiements', 'interventions', 'envois', 'chronologie'].map((tab) => `/abonnes/:abonne?onglet=${tab}`),
  ],
  conseiller: ['/souscription'],
  technicien: ['/terrain', '/interventions/:intervention'],
  abonne: ['/espace', '/factures/:sienne', '/factures/:sienne/explication', '/simuler', '/lots'],
}

// Each theme and each width once; whoever wants to look gets all four.
const looks = [['light', 'desk', desktop], ['dark', 'phone', phone]]
if (process.env.SCREENSHOTS) looks.push(['light', 'phone', phone], ['dark', 'desk', desktop])

for (const [theme, size, viewport] of looks)
  test(`pages, ${theme}, ${size}`, { timeout: 300_000 }, async () => {
    const found = []
    for (const [role, addresses] of Object.entries(pages)) {
      const { page, faults, close } = await person(browser, { viewport, theme })
      if (role !== 'visiteur') await logIn(page, role)
      for (const address of addresses) {
        await page.goto(base + address.replace(/:(\w+)/, (_, name) => objects[name]))
        await loaded(page).catch((error) => assert.fail(`${role} ${address}: ${error.message}`))
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        if (wide > 0) found.push(`${role} ${address} is ${wide} px too wide`)
        for (const problem of await problems(page)) found.push(`${role} ${address}: ${problem}`)
        if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${role}${address.replace(/\W+/g, '-')}-${theme}-${size}.png`, fullPage: true })
      }
      found.push(...faults)
      await close()
    }
    assert.deepEqual(found, [])
  })

for (const theme of ['light', 'dark'])
  test(`what opens over a page, ${theme}`, { timeout: 120_000 }, async () => {
    const { page, faults, close } = await person(browser, { theme })
    await logIn(page, 'superviseur')
    const found = []
    const look = async (what) => found.push(...(await problems(page)).map((problem) => `${what}: ${problem}`))
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').getByRole('textbox').fill('PDL-0000')
    await page.getByRole('dialog').getByText(/^PDL-0000/).first().waitFor()
    await look('search')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /Mon compte/ }).click()
    await page.getByRole('menuitem').first().waitFor()
    await look('account')
    await page.keyboard.press('Escape')
    for (const [address, button] of [['/lots', 'Préparer un lot'], ['/abonnes/:abonne', 'Enregistrer un paiement']]) {
      await page.goto(base + address.replace(/:(\w+)/, (_, name) => objects[name]))
      await loaded(page)
      await page.getByRole('button', { name: button }).first().click()
      await page.getByRole('dialog').getByRole('button', { name: 'Annuler' }).waitFor()
      await look(button)
    }
    assert.deepEqual([...found, ...faults], [])
    await close()
  })
