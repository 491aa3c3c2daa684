// The road of the product, clicked by the people whose work it is.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { base, launch, loaded, logIn, person, phone, reader, walks } from './harness.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const as = walks(() => browser)

const stamp = Date.now().toString(36).toUpperCase()
const nouveau = { nom: `Navarre ${stamp}`, pdl: `PDL-W${stamp}`, serie: `W${stamp}` }
const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris' }).format(new Date())
const french = (date) => date.split('-').reverse().join('/')

as('a visitor is shown the login, and only that', null, {}, async (page) => {
  await page.goto(`${base}/lots?etat=EMIS`)
  await page.waitForURL(/\/connexion\?vers=/)
  await page.getByRole('heading', { name: 'Connexion' }).waitFor()
  await page.goto(`${base}/invitation`)
  await page.getByRole('heading', { name: 'Ce lien est incomplet' }).waitFor()
})

test('a wrong password and a dead invitation are refused in words', { timeout: 60_000 }, async () => {
  const { page, close } = await person(browser) // without the watch: a refusal is an error on the console
  await page.goto(`${base}/connexion`)
  await page.getByLabel('Adresse e-mail').fill('personne@aquaerp.example')
  await page.getByLabel('Mot de passe', { exact: true }).fill('rien de tout cela')
  await page.getByRole('button', { name: 'Se connecter' }).click()
  await page.getByRole('alert').waitFor()
  await page.goto(`${base}/invitation#pas-un-jeton`)
  await page.getByLabel('Nouveau mot de passe').fill('une-source-fraiche')
  await page.getByLabel('Répétez le mot de passe').fill('une-source-fraiche')
  await page.getByRole('button', { name: 'Ouvrir mon espace' }).click()
  await page.getByRole('alert').waitFor()
  await close()
})

as('a conseiller subscribes a household and has the contract signed', 'conseiller', {}, async (page) => {
  await page.getByRole('link', { name: 'Nouvelle souscription' }).click()
  await page.getByRole('heading', { name: 'Nouvelle souscription' }).waitFor()
  const fill = (label, value) => page.getByRole('textbox', { name: label, exact: true }).fill(value)
  const next = () => page.getByRole('button', { name: 'Continuer' }).click()

  await next()
  assert.ok((await page.getByText('Ce champ est obligatoire.').count()) >= 3, 'an empty form names what is missing')
  await fill('Prénom', 'Noé')
  await fill('Nom', nouveau.nom)
  await fill('E-mail', `noe.${stamp.toLowerCase()}@courriel.example`)
  await fill('Téléphone', '06 39 98 12 34')
  await fill('Numéro et rue', '12 rue des Saules')
  await fill('Code postal', '77999')
  await fill('Commune', 'Guercheville')
  await next()
  await fill('Référence du PDL', nouveau.pdl)
  await fill('Code INSEE', '77999')
  await page.getByRole('button', { name: 'Reprendre l’adresse' }).click()
  await next()
  await fill('Numéro de série', nouveau.serie)
  await page.reload() // the draft survives
  await page.getByText('Brouillon repris').waitFor()
  for (let i = 0; i < 3; i++) await next()
  await page.getByText(nouveau.serie).waitFor()
  await page.getByRole('button', { name: 'Créer le contrat' }).click()

  await page.getByRole('heading', { name: `Noé ${nouveau.nom}` }).waitFor()
  await page.getByText('À signer', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Signer', exact: true }).click()
  const dialog = page.getByRole('dialog')
  assert.equal(await dialog.getByLabel('Signataire').inputValue(), `Noé ${nouveau.nom}`)
  await dialog.getByRole('button', { name: 'Signer le contrat' }).click()
  await page.getByText('Signé, à ouvrir', { exact: true }).waitFor()
})

as('the technician takes the order on a phone and reports it', 'technicien', { viewport: phone }, async (page) => {
  await page.getByRole('heading', { name: 'Mes interventions' }).waitFor()
  await page.getByText(/^À prendre/).click()
  const order = page.getByRole('link', { name: /Ouverture[^]*12 rue des Saules/ }).first() // comes when the plan has ordered it
  await order.click()
  await page.getByText(nouveau.pdl).waitFor()
  for (const step of ['Prendre', 'Accepter', 'Je pars', 'Je suis sur place']) {
    const button = page.getByRole('button', { name: step, exact: true })
    assert.ok((await button.boundingBox()).height >= 48, `${step} is a target for a thumb`)
    await button.click()
  }
  await page.getByRole('button', { name: 'Envoyer le compte rendu' }).click()
  await page.getByText('Ce champ est obligatoire.').waitFor()
  await page.getByLabel('Index du compteur').fill('7')
  await page.getByLabel('Observations').fill('Vanne remplacée, pas de fuite.')
  await page.getByRole('button', { name: 'Envoyer le compte rendu' }).click()
  await page.getByText('Réalisée', { exact: true }).waitFor()
})

as('the contract is active, found by keyboard, and its process is finished', 'conseiller', {}, async (page) => {
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('textbox').fill(nouveau.pdl)
  await page.getByRole('dialog').getByText(`Noé ${nouveau.nom}`).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: `Noé ${nouveau.nom}` }).waitFor()
  await page.getByText('Actif', { exact: true }).waitFor() // by itself, when the plan has come to it
  await page.getByText(new RegExp(`${french(today)}, index 7`)).waitFor()
  await page.getByRole('tab', { name: 'Échanges' }).click()
  await page.getByRole('row', { name: /Bienvenue/i }).first().waitFor()
  await page.getByRole('link', { name: 'Processus' }).click()
  await page.getByRole('row', { name: /Terminé/ }).first().click()
  await page.getByText('Faite', { exact: true }).first().waitFor()
})

as('a round is imported, and what is refused is said line by line', 'superviseur', {}, async (page) => {
  await page.getByRole('link', { name: 'Tournées de relève' }).click()
  const csv = `pdl;compteur;date;index;source\n${nouveau.pdl};${nouveau.serie};${today};9;AGENT\nPDL-NULLE-PART;X;${today};1;AGENT\n`
  await page.locator('input[type=file]').setInputFiles({ name: `Tournée ${stamp}.csv`, mimeType: 'text/csv', buffer: Buffer.from(csv) })
  assert.equal(await page.getByLabel('Nom de la tournée').inputValue(), `Tournée ${stamp}`)
  await page.getByRole('button', { name: 'Importer', exact: true }).click()
  await page.getByRole('heading', { name: /ligne.? refusée/ }).waitFor()
  await page.getByRole('row', { name: /^3 pdl / }).waitFor()
  await page.getByRole('rowheader', { name: `Tournée ${stamp}` }).waitFor()
})

as('doubtful readings are decided by keyboard', 'superviseur', {}, async (page) => {
  await page.getByRole('link', { name: /Relevés à vérifier/ }).first().click()
  const title = page.getByText(/^\d+ relevés? atten/)
  await title.waitFor()
  for (let left = Number.parseInt(await title.innerText()); left > 0; left--) {
    await page.getByText(new RegExp(`^${left} relevé`)).waitFor()
    await page.getByRole('img', { name: /Historique/ }).locator('.recharts-bar-rectangle').first().waitFor()
    // What the meter cannot have done is rejected; the rest is what people used.
    if (/L’index recule/.test(await page.getByRole('group', { name: 'Pourquoi ce relevé est suspect' }).innerText())) {
      await page.keyboard.press('r')
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Pourquoi ?').fill('Chiffres lus à l’envers.')
      await dialog.getByRole('button', { name: 'Rejeter et estimer' }).click()
      await page.getByText('Relevé rejeté, volume estimé.').first().waitFor()
    } else {
      await page.keyboard.press('c')
      await page.getByText('Relevé confirmé.').first().waitFor()
    }
  }
  await page.getByText('Tout est vérifié').waitFor()
})

as('a lot is prepared, followed live, approved by a second person and issued with its consequence said first', 'comptable', {}, async (page) => {
  await page.getByRole('link', { name: 'Lots de facturation' }).click()
  await page.getByRole('button', { name: 'Préparer un lot' }).click()
  const dialog = page.getByRole('dialog')
  const fill = async (label, value) => {
    await dialog.getByLabel(label).fill(value)
    await dialog.getByLabel(label).press('Tab')
  }
  await dialog.getByLabel('Nom du lot').fill(`Complément ${stamp}`)
  await fill('Début de la période', '01/04/2026')
  await fill('Fin de la période (exclue)', '01/10/2026')
  await dialog.getByRole('button', { name: 'Lancer le calcul' }).click()
  await page.getByRole('heading', { name: `Complément ${stamp}` }).waitFor()
  await page.getByText('À approuver', { exact: true }).waitFor() // told by the stream
  const second = await person(browser)
  await logIn(second.page, 'superviseur')
  await second.page.goto(page.url())
  await second.page.getByRole('button', { name: 'Approuver', exact: true }).click()
  await second.page.getByRole('dialog').getByRole('button', { name: 'J’ai lu le rapport, j’approuve' }).click()
  await second.page.getByText('Approuvé', { exact: true }).waitFor()
  assert.deepEqual(second.faults, [])
  await second.close()
  await page.reload()
  await page.getByRole('button', { name: 'Émettre', exact: true }).click()
  const figures = await page.getByRole('dialog').getByText(/\d+ factures?, .* TTC/).innerText()
  assert.match(figures, /^\d+ factures?, [\d\u202f]+,\d\d\u00a0€ TTC$/)
  assert.match(await page.getByRole('dialog').getByText(/^numéros/).innerText(), /^numéros F\d{4}-\d{6} à F\d{4}-\d{6}$/)
  await page.getByRole('dialog').getByRole('button', { name: /^Émettre \d+ facture/ }).click()
  await page.getByText('Émis', { exact: true }).waitFor()
  await page.getByRole('link', { name: /^F\d{4}-\d{6}$/ }).first().waitFor()
})

as('a payment is recorded on a bill, and the books stay even', 'comptable', {}, async (page) => {
  await page.getByRole('link', { name: 'Lots de facturation' }).click()
  await page.getByRole('link', { name: `Complément ${stamp}` }).click()
  await page.getByRole('link', { name: /^F\d{4}-\d{6}$/ }).first().click()
  await page.getByText('Distribution de l’eau').waitFor()
  await page.getByRole('button', { name: 'Enregistrer un paiement' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Enregistrer', exact: true }).click()
  await page.getByText(/^Paiement de .* enregistré/).waitFor()
  await page.getByText('Payée', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Comptes' }).click()
  await page.getByText('La balance est équilibrée').waitFor()
})

as('a subscriber sees the bill first, the consumption, and downloads the PDF', 'abonne', {}, async (page) => {
  await page.waitForURL(/\/espace$/)
  await page.getByRole('heading', { name: 'Votre dernière facture' }).waitFor()
  await page.getByRole('img', { name: /Votre consommation/ }).waitFor()
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^Télécharger le PDF F/ }).first().click()])
  assert.match(download.suggestedFilename(), /^F\d{4}-\d{6}\.pdf$/)
  assert.equal((await readFile(await download.path())).subarray(0, 5).toString(), '%PDF-')
  await page.getByRole('link', { name: 'Voir le détail' }).click()
  await page.getByText('Organismes publics').waitFor()
  await page.goto(`${base}/lots`)
  await page.getByText('Cette page n’est pas ouverte à votre rôle').waitFor()
})

as('a session survives a reload, speaks English, and ends for good', 'superviseur', {}, async (page) => {
  await page.reload()
  await page.getByRole('heading', { name: /^Bonjour/ }).waitFor()
  await page.getByRole('button', { name: 'Switch to English' }).click()
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()
  await page.getByRole('button', { name: 'Passer en français' }).click()
  await page.getByRole('button', { name: /Mon compte/ }).click()
  await page.getByRole('menuitem', { name: 'Se déconnecter' }).click()
  await page.waitForURL(/\/connexion/)
  await page.goto(`${base}/abonnes`)
  await page.waitForURL(/\/connexion/)
})

as('a page that is not there, and a bill of somebody else', 'abonne', {}, async (page) => {
  await page.goto(`${base}/nulle-part`)
  await page.getByText('Cette page n’existe pas').waitFor()
})

test('a foreign file is not found, whoever asks through the page', { timeout: 60_000 }, async () => {
  const read = await reader('conseiller')
  const own = (await reader('abonne')).utilisateur.abonne_id
  const other = (await read('/abonnes?limite=5')).items.find((a) => a.id !== own)
  const { page, close } = await person(browser) // a refusal is an error on the console
  await logIn(page, 'abonne')
  const bill = (await read(`/abonnes/${other.id}/factures`)).items[0]
  assert.ok(bill, 'the other abonne has a bill')
  await page.goto(`${base}/factures/${bill.id}`)
  await loaded(page)
  await page.getByText('Introuvable').waitFor()
  await close()
})
