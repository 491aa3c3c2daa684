// Function facture turns readings into bills and bills into money: tariffs,
// billing runs, numbered bills, payments and the journal.
//
// It guarantees that a contract and a period are billed once, that numbers
// are continuous and in order of date, that a bill once issued never changes,
// and that every entry of the journal balances. The database restates each of
// these as a constraint.
//
// `facture simuler` prices cases from standard input without any of that:
// see package tarif. `facture rejouer` prices issued bills again from what is
// stored with them, and names every difference.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "simuler":
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if err := tarif.Simuler(ctx, os.Stdin, os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, "facture simuler:", err)
				os.Exit(1)
			}
			return
		case "verifier":
			function.ReadOnly("facture", func(ctx context.Context, tx pgx.Tx) error { return verifierCommande(ctx, tx, os.Stdout) })
		case "rejouer":
			function.ReadOnly("facture", func(ctx context.Context, tx pgx.Tx) error { return rejouer(ctx, tx, os.Args[2:], os.Stdout) })
		}
	}
	function.Main("facture", listens)
}

func listens(rt *function.Runtime) []function.Listen {
	var service service
	rt.Configure(&service)
	plateforme := plateforme{service: service}
	rt.Configure(&plateforme)
	plateforme = plateforme.connectee()
	var reglages lotReglages
	rt.Configure(&reglages)
	var prestataire prestataire
	rt.Configure(&prestataire)
	return []function.Listen{
		function.On(contratActive),
		function.On(abonneIdentifie),
		function.On(compteurChange),
		function.On(relevesValides),
		function.On(contratResilie),

		function.Answer("tarifs:creer", definirGrille),
		function.Answer("tarifs:creer", definirRedevance),
		function.Answer("tarifs:lire", tarifs),
		function.Answer("tarifs:modifier", corrigerGrille),
		function.Answer("tarifs:modifier", fermerGrille),
		function.Answer("tarifs:modifier", retirerGrille),
		function.Answer("tarifs:modifier", definirCommune),
		function.Answer("tarifs:lire", communes),
		function.Answer("contrats:modifier", accorderProfil),
		function.Answer("contrats:modifier", fermerProfil),
		function.Answer("contrats:lire", profilsAccordes),
		function.Answer("tarifs:lire", prixGrilles),
		function.Answer("tarifs:lire", facturesTypes),
		function.Answer("tarifs:lire", simulerBase),
		function.Answer("tarifs:lire", exemples),
		function.Answer("tarifs:creer", importerExemple),
		function.Answer("tarifs:lire", tauxPublies),
		function.Answer("tarifs:creer", importerTaux),
		function.Answer("comptabilite:lire,tarifs:lire", indicateurs),

		function.Answer("lots:creer", reglages.preparerLot),
		function.On(calculerTranche),
		function.Answer("lots:valider", controlerLot),
		function.Answer("lots:valider", emettreLot),
		function.On(emettreTranche),
		function.Answer("lots:valider", rejeterLot),
		function.Answer("lots:valider", relancerLot),
		function.Answer("lots:lire", lotParID),
		function.Answer("lots:lire", lots),
		function.Answer("lots:lire", rapportLot),
		function.Answer("reglages:modifier", reglerControle),
		function.Answer("reglages:lire", plateforme.reglages),
		function.Answer("reglages:modifier", definirMention),
		function.Answer("reglages:modifier", fermerMention),
		function.Answer("reglages:lire", journalReglages),
		function.Answer("entites:lire", service.fichesEntites),
		function.Answer("entites:creer,entites:modifier", service.definirEntite),
		function.Answer("entites:modifier", service.attribuerCommunes),
		function.Answer("entites:supprimer", service.retirerEntite),
		function.Answer("lots:creer", definirProgramme),
		function.Answer("lots:lire", programmes),
		function.On(alHeure(reglages.regarder, reprendreSoldes, rompreEcheanciers, relancerImpayes, plateforme.collecter)),
		function.On(scellerSerie),
		function.Answer("comptabilite:lire", verifierFactures),

		function.Answer("factures:lire,portail:lire", factureParID),
		function.Answer("factures:lire,portail:lire", factures),
		function.Answer("factures:lire,portail:lire", service.document).ByPost(),
		function.Answer("factures:lire,portail:lire", service.attestationAbonnement),
		function.Answer("factures:lire,portail:lire", service.attestationNonDette),
		function.Answer("paiements:lire,portail:lire", service.recuPaiement),
		function.Answer("factures:exporter", cahiers),
		function.Answer("factures:exporter", service.imprimerCahier),
		function.Answer("factures:exporter", service.documentsCahier),
		function.Answer("courrier:creer", service.imprimerLettres),

		function.Work(plateforme.deposer),
		function.Answer("factures:modifier", enregistrerStatut),
		function.Answer("factures:modifier", plateforme.relancerDepot),
		function.Answer("factures:lire", depots),
		function.Answer("comptabilite:lire", plateforme.eReporting),

		function.Answer("factures:modifier", emettreAvoir),
		function.Answer("factures:modifier", rectifier),
		function.Answer("factures:creer", emettreManuelle),
		function.Answer("tarifs:creer", definirPrestation),
		function.Answer("factures:lire", prestations),
		function.Answer("factures:creer", solder),
		function.Answer("factures:lire", resiliations),
		function.On(reprendreSolde),
		function.Answer("factures:modifier", attesterFuite),
		function.Answer("factures:modifier", classerFuite).ByPost(),
		function.Answer("factures:lire", fuites),

		function.Answer("factures:lire,portail:lire", expliquerFacture),
		function.Answer("factures:lire,portail:lire", simulerFacture),

		function.Answer("paiements:creer", enregistrerPaiement),
		function.Answer("paiements:modifier", rejeterUnPaiement),
		function.Answer("paiements:lire", moyens),
		function.Answer("paiements:lire", caisses),
		function.Answer("paiements:creer", ouvrirCaisse),
		function.Answer("paiements:creer", fermerCaisse),
		function.Answer("paiements:modifier", creerBordereau),
		function.Answer("paiements:lire", bordereaux),
		function.Answer("paiements:lire", bordereauParID),
		function.Answer("paiements:lire", service.documentBordereau),
		function.Answer("paiements:creer", enregistrerEncaissement),
		function.Answer("paiements:lire", aRapprocher),
		function.Answer("paiements:valider", reglerLettrage),
		function.Answer("paiements:modifier", affecterAttente),
		function.Answer("paiements:modifier", desaffecterPaiement),
		function.Answer("paiements:modifier", lettrerPaiement),
		function.Answer("paiements:modifier", delettrerPaiement),
		function.Answer("factures:lire,portail:lire", prestataire.payerEnLigne),
		function.Answer("factures:lire,portail:lire", prestataire.paiementEnLigne),
		function.Answer(function.Public, prestataire.notifierPaiement).Ephemeral(),
		function.Answer("paiements:modifier", traiterNotification),
		function.On(surEmission),
		function.Answer("paiements:creer", demanderRemboursement),
		function.Answer("paiements:valider", deciderRemboursement),
		function.Answer("paiements:modifier", payerRemboursement),
		function.Answer("paiements:lire", remboursements),
		function.Answer("paiements:creer", creerEcheancier),
		function.Answer("paiements:creer", mensualiser),
		function.Answer("paiements:modifier", arreterEcheancier),
		function.On(rompreEcheancier),
		function.Answer("paiements:lire,portail:lire", echeanciers),
		function.Answer("paiements:lire", echeanciersSuivis),
		function.Answer("paiements:lire,portail:lire", prestataire.compte),

		function.On(continuer),
		function.Work(lettrePartie),
		function.On(fraisDeRejet),
		function.Answer("relances:lire", relances),
		function.Answer("relances:lire", dossierParID),
		function.Answer("relances:lire", reglesRecouvrement),
		function.Answer("relances:valider", reglerCanalRelance),
		function.Answer("relances:modifier", suspendreRelances),
		function.Answer("relances:modifier", reprendreRelances),
		function.Answer("relances:modifier", enregistrerAide),
		function.Answer("relances:modifier", cloreAide),
		function.Answer("relances:lire", aidesDe),
		function.Answer("relances:lire", documentAide),
		function.Answer("relances:creer", ouvrirContentieux),
		function.Answer("relances:lire", listeContentieux),
		function.Answer("relances:lire", contentieuxParID),
		function.Answer("relances:creer", ajouterActe),
		function.Answer("relances:lire", documentActe),
		function.Answer("relances:lire", service.imprimerContentieux),
		function.Answer("relances:creer", cloreContentieux),
		function.Answer("relances:creer", majorerAssainissement),
		function.Answer("relances:creer", appliquerPenalites),
		function.Answer("relances:valider", definirPenalite),
		function.Answer("relances:creer", proposerNonValeur),
		function.Answer("relances:valider", deciderNonValeur),
		function.Answer("relances:lire", nonValeurs),

		function.Answer("comptabilite:lire", balance),
		function.Answer("comptabilite:lire", grandLivre),
		function.Answer("comptabilite:lire", journal),
		function.Answer("comptabilite:lire", balanceAgee),
		function.Answer("comptabilite:lire", declarationTVA),
		function.Answer("comptabilite:lire", entitesComptables),
		function.Answer("comptabilite:modifier", reglerComptabilite),
		function.Answer("comptabilite:lire", apercuCloture),
		function.Answer("comptabilite:valider", cloturer),
		function.Answer("comptabilite:lire", clotures),
		function.Answer("comptabilite:lire", controlerComptes),
		function.Answer("comptabilite:exporter", exporterComptabilite),
		function.Answer("comptabilite:exporter", fec),
		function.Answer("comptabilite:modifier", reglerPES),
		function.Answer("comptabilite:lire", lirePES),
		function.Answer("comptabilite:valider", preparerRole),
		function.Answer("comptabilite:valider", repondreRole),
		function.Answer("comptabilite:lire", roles),
		function.Answer("comptabilite:exporter", service.fichierRole),

		function.Answer("tableau:lire", tableau),

		function.Answer("prelevements:valider", definirCreancier),
		function.Answer("prelevements:lire", creanciers),
		function.Answer("prelevements:creer", signerMandat),
		function.Answer("prelevements:modifier", modifierMandat),
		function.Answer("prelevements:modifier", revoquerMandat),
		function.Answer("prelevements:exporter", lireIBAN).Ephemeral(),
		function.Answer("prelevements:lire,portail:lire", mandats),
		function.Answer("prelevements:creer", preparerRemise),
		function.Answer("prelevements:valider", validerRemise),
		function.Answer("prelevements:creer", abandonnerRemise),
		function.Answer("prelevements:exporter", lireFichierRemise).Ephemeral(),
		function.Answer("prelevements:lire", remises),
		function.Answer("prelevements:lire", remiseParID),
		function.Answer("prelevements:lire", prelevements),
		function.Answer("prelevements:lire", codesRejet),
		function.Answer("paiements:creer", importerFichierBancaire),
		function.Answer("paiements:lire", fichiersBancaires),
		function.Answer("paiements:lire", fichierParID),
		function.Answer("paiements:lire", operationsBancaires),
		function.Answer("paiements:creer", affecterOperation),
		function.On(traiterOperations),
		function.On(encaisserPrelevements),
	}
}
