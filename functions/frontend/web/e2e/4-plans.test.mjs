// Money by agreement: a debt in parts, a year in monthly debits, a file of debits, credit that is paid back; and without: a litigation.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { base, desktop, launch, loaded, logIn, person, phone, problems, reader, walks } from './harness.mjs'

let browser
let debtor // an abonne with an open bill
before(async () => {
  browser = await launch()
  const read = await reader('superviseur')
  const lots = (await read('/lots?limite=50')).items.filter((l) => l.etat === 'EMIS')
  for (const lot of lots) {
    const open = (await read(`/lots/${lot.id}/factures?limite=200`)).items.find((f) => f.reste_centimes > 1000)
    if (open) debtor ??= { id: open.abonne_id, facture: open.id, numero: open.numero, reste: open.reste_centimes }
  }
  assert.ok(debtor, 'the product has no open bill')
  await (await reader('comptable')).post('/creanciers', { entite: 'principale', nom: 'Régie des eaux', ics: 'DE98ZZZ09999999999', iban: 'FR7630001007941234567890185', format: 'pain.008.001.08' })
})
after(() => browser.close())

const as = walks(() => browser)

const look = async (page, name) => {
  assert.deepEqual(await problems(page), [])
  // Once a change of size has settled.
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, undefined, { timeout: 5_000 }).catch(() => assert.fail(`${name} is too wide`))
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/plans-${name}.png`, fullPage: true })
}
/** Looks at a page in a light theme at a desk and in a dark one on a phone. */
const looks = async (page, name) => {
  for (const [colorScheme, viewport] of [['light', desktop], ['dark', phone]]) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(viewport)
    await look(page, `${name}-${colorScheme}`)
  }
}
const inDays = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10)
const payments = async (page) => {
  await page.goto(`${base}/abonnes/${debtor.id}?onglet=paiements`)
  await loaded(page)
}

for (const [size, options] of [['desk', {}], ['phone', { viewport: phone }]])
  as(`a plan is shown before it is granted, and stopped, ${size}`, 'comptable', options, async (page) => {
    await page.goto(`${base}/factures/${debtor.facture}`)
    await page.getByRole('button', { name: 'Accorder un échéancier' }).click()
    const dialog = page.getByRole('dialog')
    assert.ok(await dialog.getByRole('checkbox', { name: new RegExp(debtor.numero) }).isChecked())
    await dialog.getByLabel('Nombre d’échéances').fill('4')
    await dialog.getByLabel('Motif').fill('Difficultés passagères')
    await dialog.getByRole('button', { name: 'Voir les échéances' }).click()
    await dialog.getByText('Voici le plan').waitFor()
    const rows = dialog.getByRole('region', { name: 'Échéances' }).locator('tbody tr')
    assert.equal(await rows.count(), 4)
    const centimes = (text) => Number(text.replace(/\D/g, ''))
    const sums = (await rows.locator('td').allInnerTexts()).map(centimes)
    assert.equal(sums.reduce((a, b) => a + b), debtor.reste)
    await look(page, `preview-${size}`)
    await dialog.getByRole('button', { name: 'Accorder ce plan' }).click()
    await page.getByText('L’échéancier est accordé.').waitFor()

    await payments(page)
    const plan = page.getByRole('article', { name: 'Échéancier' })
    await plan.getByText(debtor.numero).waitFor()
    await look(page, `running-${size}`)
    await plan.getByRole('button', { name: 'Arrêter' }).click()
    await dialog.getByText(/les relances reprennent/).waitFor()
    await dialog.getByLabel('Motif').fill('À sa demande')
    await dialog.getByRole('button', { name: 'Arrêter', exact: true }).click()
    await page.getByText('Le plan est arrêté.').waitFor()
    await page.getByText('Aucun plan de paiement en cours.').waitFor()
    await page.getByRole('button', { name: /Voir les plans finis/ }).click()
    await plan.first().getByText('À sa demande').waitFor()
  })

as('monthly payment leads to the mandate that it needs, then shows ten debits', 'comptable', {}, async (page) => {
  const mandates = (await (await reader('comptable'))(`/abonnes/${debtor.id}/mandats`)).items
  const dialog = page.getByRole('dialog')
  await payments(page)
  await page.getByRole('button', { name: 'Mensualiser' }).click()
  if (!mandates.some((m) => m.etat === 'ACTIF')) {
    await dialog.getByText('Il faut un mandat de prélèvement').waitFor()
    assert.ok(await dialog.getByRole('button', { name: 'Voir les échéances' }).isDisabled())
    await look(page, 'no-mandate')
    await dialog.getByRole('link', { name: 'Enregistrer un mandat' }).click()
    await page.getByRole('button', { name: 'Enregistrer un mandat' }).click()
    await dialog.getByLabel('IBAN').fill('FR76 3000 1007 9412 3456 7890 185')
    await dialog.getByRole('button', { name: 'Enregistrer un mandat' }).click()
    await page.getByText('En vigueur', { exact: true }).waitFor()
    await payments(page)
    await page.getByRole('button', { name: 'Mensualiser' }).click()
  }
  await dialog.getByLabel('Premier prélèvement').waitFor()
  await dialog.getByRole('button', { name: 'Voir les échéances' }).click()
  await dialog.getByText('Voici le plan').waitFor()
  assert.equal(await dialog.getByRole('region', { name: 'Échéances' }).locator('tbody tr').count(), 10)
  await look(page, 'monthly')
  await dialog.getByRole('button', { name: 'Annuler' }).click()
  await page.getByText('Aucun plan de paiement en cours.').waitFor() // nothing was kept
})

test('who has just moved in is asked what they will use', { timeout: 60_000 }, async () => {
  const comptable = await reader('comptable')
  const [{ id }] = (await comptable('/abonnes?q=PDL-NEUF-1')).items
  await comptable.post('/mandats', { abonne_id: id, titulaire: 'Alice Lemoine', iban: 'FR7630001007941234567890185', signe_le: inDays(0) })
  const { page, close } = await person(browser) // without the watch: a refusal is an error on the console
  await logIn(page, 'comptable')
  const dialog = page.getByRole('dialog')
  await page.goto(`${base}/abonnes/${id}?onglet=paiements`)
  await page.getByRole('button', { name: 'Mensualiser' }).click()
  await dialog.getByRole('button', { name: 'Voir les échéances' }).click()
  await dialog.getByLabel('Volume annuel prévu').waitFor()
  await dialog.getByRole('button', { name: 'Voir les échéances' }).click()
  await dialog.getByText('Un nombre positif est attendu.').waitFor()
  await look(page, 'newcomer')
  await dialog.getByLabel('Volume annuel prévu').fill('120')
  const answer = page.waitForResponse((response) => response.url().endsWith('/mensualisation'))
  await dialog.getByRole('button', { name: 'Voir les échéances' }).click()
  assert.notEqual((await (await answer).json()).code, 'sans_historique')
  await close()
})

as('what would be debited is looked at before the bank has it', 'comptable', {}, async (page) => {
  const { post } = await reader('comptable')
  const plan = await post(`/abonnes/${debtor.id}/echeanciers`, { nombre: 3, premiere: inDays(25), par_prelevement: true, motif: 'Difficultés passagères' })
  const dialog = page.getByRole('dialog')
  await page.goto(`${base}/prelevements`)
  await page.getByRole('button', { name: 'Préparer une remise' }).first().click()
  await dialog.getByLabel('Prélever jusqu’au').fill(inDays(60).split('-').reverse().join('/'))
  await dialog.getByRole('button', { name: 'Préparer une remise' }).click()
  await page.waitForURL(/\/prelevements\/.+/)
  await page.getByRole('region', { name: 'Prélèvements' }).getByText(/^PLAN-/).first().waitFor()
  await loaded(page)
  await looks(page, 'debits')
  await page.getByRole('button', { name: 'Abandonner' }).click()
  await dialog.getByRole('button', { name: 'Abandonner' }).click()
  await page.getByText('La remise est abandonnée.').waitFor()
  await post(`/echeanciers/${plan.id}/arret`, { motif: 'À sa demande' })
})

as('a bill that has had all its letters goes to litigation, where acts are recorded', 'comptable', {}, async (page) => {
  await page.goto(`${base}/relances`)
  await page.getByRole('row', { name: /À décider/ }).first().getByRole('button', { name: 'Contentieux' }).click()
  await page.waitForURL(/\/contentieux\/.+/)
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Ajouter un acte' }).click()
  await dialog.getByLabel('Précisions').fill('Requête déposée au greffe')
  await dialog.getByRole('button', { name: 'Ajouter un acte' }).click()
  await page.getByRole('row', { name: /Requête déposée au greffe/ }).waitFor()
  await loaded(page)
  await looks(page, 'litigation')
})

as('the rate of late payment is set with its source, by who may', 'comptable', {}, async (page) => {
  const last = (await (await reader('comptable'))('/relances/regles')).penalites.find((r) => r.code === 'TAUX' && !r.habitation)
  const french = (date) => date.split('-').reverse().join('/')
  await page.goto(`${base}/relances?onglet=regles`)
  const dialog = page.getByRole('dialog')
  await page.getByRole('button', { name: 'Ajouter une règle' }).click()
  if (last.au) assert.equal(await dialog.getByLabel('À partir du').inputValue(), french(last.au))
  await dialog.getByRole('button', { name: 'Ajouter une règle' }).click()
  await dialog.getByText('Ce champ est obligatoire.').waitFor()
  const from = last.au ?? `${Number(last.du.slice(0, 4)) + 1}-01-01`
  await dialog.getByLabel('À partir du').fill(french(from))
  await dialog.getByRole('textbox', { name: 'Taux annuel' }).fill('12,15')
  await dialog.getByLabel('Source').fill('taux publié le jour même')
  await look(page, 'rate')
  await dialog.getByRole('button', { name: 'Ajouter une règle' }).click()
  await page.getByText('La règle est enregistrée.').waitFor()
  const row = page.getByRole('region', { name: 'Pénalités de retard' }).getByRole('row', { name: new RegExp(`Professionnels.*${french(from)}.*12,15`) })
  await row.getByText('taux publié le jour même').waitFor()
  await looks(page, 'rates')

  const other = await person(browser)
  await logIn(other.page, 'conseiller')
  await other.page.goto(`${base}/relances?onglet=regles`)
  await other.page.getByRole('region', { name: 'Pénalités de retard' }).waitFor()
  assert.equal(await other.page.getByRole('button', { name: 'Ajouter une règle' }).count(), 0)
  assert.deepEqual(other.faults, [])
  await other.close()
})

test('penalties that wait for a rate lead to where it is set', { timeout: 60_000 }, async () => {
  const { page, close } = await person(browser) // without the watch: a refusal is an error on the console
  await logIn(page, 'comptable')
  await page.route('**/v1/factures/*/penalites', (route) => route.fulfill({ status: 422, contentType: 'application/problem+json', json: { code: 'taux_absent', detail: 'Le taux de retard n’est pas réglé.' } }))
  await page.goto(`${base}/relances`)
  await page.getByRole('button', { name: 'Pénalités', exact: true }).first().click()
  await page.getByRole('dialog').getByRole('link', { name: 'Régler le taux' }).click()
  await page.getByRole('button', { name: 'Ajouter une règle' }).waitFor()
  await close()
})

as('a refund is asked for by one person, decided on by another, and paid', 'comptable', {}, async (page) => {
  await payments(page)
  await page.getByRole('button', { name: 'Enregistrer un paiement' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Montant reçu (€)').fill(String((debtor.reste + 5000) / 100).replace('.', ','))
  await dialog.getByRole('button', { name: 'Enregistrer', exact: true }).click()
  await page.getByText(/^Paiement de .* enregistré/).waitFor()
  await page.getByRole('button', { name: 'Demander un remboursement' }).click()
  await dialog.getByText(/créditeur de/).waitFor()
  await dialog.getByLabel('Montant').fill('20')
  await dialog.getByLabel('Motif').fill('Trop versé')
  await dialog.getByText(/20,00.*mis de côté/).waitFor()
  await dialog.getByRole('button', { name: 'Demander un remboursement' }).click()
  await page.getByText('Vous l’avez demandé : une autre personne décide.').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Approuver' }).count(), 0)
  await page.getByText(/20,00.*pour un remboursement/).waitFor()

  const second = await person(browser)
  await logIn(second.page, 'superviseur')
  await second.page.goto(`${base}/encaissements?onglet=remboursements`)
  await second.page.getByRole('button', { name: 'Approuver' }).first().click()
  await second.page.getByRole('dialog').getByText(/Rien n’est écrit au journal avant/).waitFor()
  await look(second.page, 'decision')
  await second.page.getByRole('dialog').getByRole('button', { name: 'Approuver' }).click()
  await second.page.getByText('Le remboursement est approuvé.').waitFor()
  assert.deepEqual(second.faults, [])
  await second.close()

  await page.reload()
  await page.getByRole('button', { name: 'Noter le paiement' }).first().click()
  await dialog.getByLabel('Référence du virement').fill('VIR-2026-7')
  await dialog.getByRole('button', { name: 'Noter le paiement' }).click()
  await page.getByText(/Payé le .*VIR-2026-7/).waitFor()
  await look(page, 'refunds')
})

as('a payment is taken off a bill and put back, and a bounced cheque opens the bill again', 'comptable', {}, async (page) => {
  await payments(page)
  const act = async (what) => {
    await page.getByRole('button', { name: /^Agir sur le paiement/ }).first().click()
    await page.getByRole('menuitem', { name: what }).click()
  }
  const dialog = page.getByRole('dialog')
  await act('Retirer d’une facture')
  await dialog.getByText(new RegExp(`${debtor.numero} attend de nouveau`)).waitFor()
  await dialog.getByLabel('Motif').fill('Pour une autre')
  await dialog.getByRole('button', { name: 'Retirer d’une facture' }).click()
  await page.getByText('Le paiement est retiré de la facture.').waitFor()
  await act('Mettre sur une facture')
  await dialog.getByRole('combobox', { name: 'Facture' }).click()
  await page.getByRole('option', { name: new RegExp(debtor.numero) }).click()
  await page.getByRole('option').first().waitFor({ state: 'hidden' })
  await dialog.getByText(`${debtor.numero} sera payée.`).waitFor()
  await look(page, 'match')
  await dialog.getByRole('button', { name: 'Mettre sur une facture' }).click()
  await page.getByText('Le paiement est mis sur la facture.').waitFor()
  await act('Reprendre le paiement')
  await dialog.getByLabel('Motif').fill('Chèque sans')
  await page.getByRole('option', { name: 'Chèque sans provision' }).click()
  await page.getByRole('option').first().waitFor({ state: 'hidden' })
  await dialog.getByText(new RegExp(`${debtor.numero} attend de nouveau`)).waitFor()
  await dialog.getByText(/déjà été remboursé est dû/).waitFor()
  await look(page, 'take-back')
  await dialog.getByRole('button', { name: 'Reprendre le paiement' }).click()
  await page.getByText('Le paiement est repris.').waitFor()
  await page.getByText(/Repris le .* : Chèque sans provision/).waitFor()
})

as('a rule of matching is switched, and only by who may', 'superviseur', {}, async (page) => {
  await page.goto(`${base}/encaissements`)
  const rule = page.getByRole('switch', { name: /^4\. / })
  await rule.waitFor()
  const words = { true: /^Règle éteinte/, false: /^Règle en service/ }
  for (let i = 0; i < 2; i++) {
    const on = await rule.isChecked()
    await rule.press('Space')
    await page.getByText(words[on]).waitFor()
    await page.getByRole('switch', { name: /^4\. /, checked: !on }).waitFor()
  }
  await look(page, 'rules')
  const other = await person(browser)
  await logIn(other.page, 'comptable')
  await other.page.goto(`${base}/encaissements`)
  await other.page.getByText('Les changer demande le droit de valider les paiements.').waitFor()
  assert.ok(await other.page.getByRole('switch', { name: /^4\. / }).isDisabled())
  assert.deepEqual(other.faults, [])
  await other.close()
})

as('cheques go to the bank with a slip on paper', 'comptable', {}, async (page) => {
  await payments(page)
  await page.getByRole('button', { name: 'Enregistrer un paiement' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Montant reçu (€)').fill('12,34')
  await dialog.getByRole('button', { name: 'Enregistrer', exact: true }).click()
  await page.getByText(/^Paiement de .* enregistré/).waitFor()
  await page.goto(`${base}/encaissements?onglet=remises`)
  await page.getByRole('row', { name: /Chèque/ }).getByRole('button', { name: 'Faire la remise' }).click()
  await page.getByText(/^Remise REM-\d{6} de/).waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^Imprimer le bordereau REM-/ }).first().click()])
  assert.match(download.suggestedFilename(), /^REM-\d{6}\.pdf$/)
  await look(page, 'slips')
})

as('the public accountant refuses a bordereau, and its bills go on to the next', 'comptable', {}, async (page) => {
  const api = await reader('comptable')
  const { produits } = await api('/comptabilite/pes')
  await api.post('/comptabilite/pes', { entite: 'principale', poste: '077012', siret: '73282932000074', collectivite: '400', budget: '00', libelle: 'Eau', produits: produits.map((p, i) => ({ compte: p.compte, code: `P${10 + i}` })) })
  await page.goto(`${base}/balance?onglet=roles`)
  const dialog = page.getByRole('dialog')
  const prepare = async () => {
    await page.getByRole('button', { name: 'Préparer le bordereau' }).first().click()
    await dialog.getByRole('button', { name: 'Préparer le bordereau' }).click()
    await dialog.waitFor({ state: 'detached' })
  }
  await prepare()
  await page.getByRole('button', { name: 'Enregistrer la réponse' }).first().click()
  await dialog.getByLabel('Refusé').check()
  await dialog.getByText(/^Il garde son numéro et son fichier/).waitFor()
  assert.ok(await dialog.getByRole('button', { name: 'Enregistrer la réponse' }).isDisabled(), 'a refusal has a reason')
  await dialog.getByLabel('Motif du refus').fill('Code produit inconnu')
  await look(page, 'bordereau-refused')
  await dialog.getByRole('button', { name: 'Enregistrer la réponse' }).click()
  await page.getByRole('cell', { name: /^Refusé.*Code produit inconnu.*noté par Chloé/ }).waitFor()
  await prepare()
  await page.getByText(/^Reprend \d{4}-\d+, refusé$/).first().waitFor()
  await look(page, 'bordereaux')
})

as('the cash desk opens and closes on what was counted', 'comptable', {}, async (page) => {
  await page.goto(`${base}/encaissements?onglet=caisse`)
  const dialog = page.getByRole('dialog')
  for (const [act, said] of [['Ouvrir la caisse', 'La caisse est ouverte.'], ['Fermer la caisse', /^La caisse est fermée, écart 0,00/]]) {
    await page.getByRole('button', { name: act }).click()
    await dialog.getByRole('button', { name: act }).click()
    await dialog.getByText('Ce champ est obligatoire.').waitFor()
    await look(page, 'desk-empty')
    await dialog.getByRole('textbox').first().fill('50')
    await dialog.getByRole('button', { name: act }).click()
    await page.getByText(said).waitFor()
  }
})
