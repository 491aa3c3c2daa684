package message

// Kind of a message.
type Kind string

// The three kinds.
const (
	Command Kind = "command"
	Query   Kind = "query"
	Event   Kind = "event"
)

// Entry is a line of the catalogue.
type Entry struct {
	Kind    Kind
	Payload Message // its zero value
	Reply   any     // zero value of the reply's payload, nil for an event
}

func command[R any](p Request[R]) Entry { return Entry{Command, p, p.Reply()} }
func query[R any](p Request[R]) Entry   { return Entry{Query, p, p.Reply()} }
func event(p Message) Entry             { return Entry{Event, p, nil} }

// Catalogue lists every message by owner: the source of the AsyncAPI
// document, of the JSON Schemas and of the golden wire files.
func Catalogue() []Entry {
	return []Entry{
		command(Connecter{}), command(Rafraichir{}), command(Deconnecter{}), query(Moi{}),
		command(CreerUtilisateur{}), query(Utilisateurs{}), command(AccepterInvitation{}), event(InvitationEmise{}),

		command(Souscrire{}), command(Signer{}), command(Retracter{}), command(Activer{}), command(ChangerCompteur{}), command(Reprendre{}), command(Resilier{}), event(ContratResilie{}),
		command(IdentifierAbonne{}), event(AbonneIdentifie{}),
		query(ContratParID{}), query(Contrats{}), query(Abonnes{}), query(FicheAbonne{}), query(TableauContrats{}),
		event(ContratSigne{}), event(ContratAnnule{}), event(ContratActive{}), event(CompteurChange{}),

		command(ImporterReleves{}), query(Tournees{}), query(Suspects{}), command(Decider{}), query(Releves{}), query(TableauReleves{}),
		event(RelevesValides{}),

		command(DefinirGrille{}), command(DefinirRedevance{}), query(Tarifs{}),
		command(CorrigerGrille{}), command(FermerGrille{}), command(RetirerGrille{}), command(DefinirCommune{}), query(Communes{}),
		command(AccorderProfil{}), command(FermerProfil{}), query(ProfilsAccordes{}),
		command(PreparerLot{}), query(LotParID{}), query(Lots{}), command(ControlerLot{}), command(EmettreLot{}), command(RejeterLot{}), command(RelancerLot{}),
		query(PrixGrilles{}), query(FacturesTypes{}), query(SimulerBase{}),
		query(Exemples{}), command(ImporterExemple{}), query(TauxPublies{}), command(ImporterTaux{}), query(Indicateurs{}),
		query(FactureParID{}), query(Factures{}), query(DocumentFacture{}), query(AttestationAbonnement{}), query(AttestationNonDette{}), query(RecuPaiement{}),
		query(Cahiers{}), query(ImprimerCahier{}), query(DocumentsCahier{}), query(ImprimerLettres{}),
		event(DepotAFaire{}), command(EnregistrerStatutDepot{}), command(RelancerDepot{}), query(Depots{}), query(EReporting{}),
		query(RapportLot{}), command(ReglerControle{}), command(DefinirProgramme{}), query(Programmes{}), query(VerifierFactures{}), event(SerieASceller{}),
		command(DefinirEntite{}), command(RetirerEntite{}), command(AttribuerCommunes{}), query(FichesEntites{}),
		query(Reglages{}), command(DefinirMention{}), command(FermerMention{}), query(JournalReglages{}),
		query(ExpliquerFacture{}), query(SimulerFacture{}),
		command(EnregistrerPaiement{}), query(Compte{}), query(Balance{}), query(TableauFactures{}),

		command(EmettreAvoir{}), command(RectifierFacture{}), command(EmettreManuelle{}), command(DefinirPrestation{}), query(Prestations{}), event(AvoirEmis{}),
		command(Solder{}), query(Resiliations{}), event(ContratASolder{}),
		command(AttesterFuite{}), command(ClasserFuite{}), query(Fuites{}), event(FuiteDetectee{}), event(FuiteAttestee{}),

		command(RejeterPaiement{}), event(PaiementRejete{}), event(FactureRouverte{}),
		event(TrancheACalculer{}), event(TrancheAEmettre{}), event(FacturesEmises{}), event(FacturePayee{}),
		query(MoyensDePaiement{}), query(Caisses{}), command(OuvrirCaisse{}), command(FermerCaisse{}),
		command(CreerBordereau{}), query(Bordereaux{}), query(BordereauParID{}), query(DocumentBordereau{}),
		command(EnregistrerEncaissement{}), query(ARapprocher{}), command(ReglerLettrage{}), command(AffecterAttente{}), command(DesaffecterPaiement{}), command(LettrerPaiement{}), command(DelettrerPaiement{}),
		command(DemanderRemboursement{}), command(DeciderRemboursement{}), command(PayerRemboursement{}), query(Remboursements{}),
		command(PayerEnLigne{}), query(PaiementEnLigneParID{}), command(NotifierPaiement{}), command(TraiterNotification{}),
		command(CreerEcheancier{}), command(Mensualiser{}), command(ArreterEcheancier{}), query(Echeanciers{}), query(EcheanciersSuivis{}), event(EcheancierAccorde{}), event(EcheancierARompre{}), event(EcheancierRompu{}),

		query(GrandLivre{}), query(Journal{}), query(BalanceAgee{}), query(DeclarationTVA{}), query(EntitesComptables{}), command(ReglerComptabilite{}),
		query(ApercuCloture{}), command(Cloturer{}), query(Clotures{}), query(ExporterComptabilite{}), query(ExporterFEC{}), query(ControlerComptes{}),
		command(ReglerPES{}), query(LirePES{}), command(PreparerRole{}), command(RepondreRole{}), query(Roles{}), query(FichierRole{}),
		query(Relances{}), query(DossierRelanceParID{}), command(SuspendreRelances{}), command(ReprendreRelances{}), query(ReglesRecouvrement{}), command(ReglerCanalRelance{}),
		command(EnregistrerAide{}), command(CloreAide{}), query(AidesDe{}), query(DocumentAide{}), query(ImprimerContentieux{}),
		command(OuvrirContentieux{}), query(ContentieuxEnCours{}), query(ContentieuxParID{}), command(AjouterActe{}), query(DocumentActe{}), command(CloreContentieux{}),
		command(ProposerNonValeur{}), command(DeciderNonValeur{}), query(NonValeurs{}), command(MajorerAssainissement{}), command(AppliquerPenalites{}), command(DefinirPenalite{}), event(RelanceEmise{}), event(RelancesAFaire{}),

		command(DefinirCreancier{}), query(Creanciers{}), command(SignerMandat{}), command(ModifierMandat{}), command(RevoquerMandat{}), command(LireIBAN{}), query(Mandats{}),
		command(PreparerRemise{}), command(ValiderRemise{}), command(AbandonnerRemise{}), command(LireFichierRemise{}), query(Remises{}), query(RemiseParID{}),
		query(Prelevements{}), query(CodesRejet{}), command(ImporterFichierBancaire{}), query(FichiersBancaires{}), query(FichierBancaireParID{}),
		query(OperationsBancaires{}), command(AffecterOperation{}), event(MandatSigne{}), event(MandatRevoque{}), event(IBANLu{}), event(OperationsATraiter{}),
		event(PrelevementsAEncaisser{}), event(PrelevementsAnnonces{}), event(RemiseValidee{}), event(PrelevementRejete{}),

		command(CreerIntervention{}), command(AffecterIntervention{}), command(AvancerIntervention{}), command(RealiserIntervention{}),
		command(DeclarerImpossible{}), query(Interventions{}), query(InterventionParID{}),
		event(InterventionRealisee{}), event(InterventionImpossible{}),

		query(Plans{}), query(PlanParID{}), command(RelancerPlan{}), event(PlanTermine{}),

		event(EnvoiPret{}), query(Envois{}), event(EnvoiFait{}), event(EnvoiRefuse{}),
		command(ConsentirSMS{}), query(ContactDe{}), command(NotifierSMS{}),
		command(PreparerTirage{}), command(PosterTirage{}), query(Tirages{}), query(TirageParID{}), query(LettresDuTirage{}),

		event(Tick{}),
	}
}
