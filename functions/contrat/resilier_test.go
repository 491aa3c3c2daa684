package main

import (
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestResilier(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	today := aujourdhui(t, f)
	c := contratActif(t, f, 1, 99_800)
	exec(t, f, "update pose set du = du - 100")
	exec(t, f, "update contrat set actif_depuis = actif_depuis - 100, signe_le = signe_le - 100")
	ok := message.Resilier{ContratID: c.ID, DemandeeLe: today.AddDays(-3), Date: today.AddDays(-1), Index: 120,
		Adresse: message.Adresse{Voie: "3 quai du Port", CodePostal: "17000", Commune: "La Rochelle"}}
	for field, tc := range map[string]struct {
		code   string
		change func(*message.Resilier)
	}{
		"date":        {"date_future", func(m *message.Resilier) { m.Date = today.AddDays(1) }},
		"demandee_le": {"date_future", func(m *message.Resilier) { m.DemandeeLe = today.AddDays(1) }},
		"index":       {"index_recule", func(m *message.Resilier) { m.Index = 90_000 }},
	} {
		cmd := ok
		tc.change(&cmd)
		_, err := functiontest.Ask(t, f, staff, cmd)
		wantField(t, err, tc.code, field)
	}
	early, negative := ok, ok
	early.Date, negative.Index = today.AddDays(-100), -1
	_, err := functiontest.Ask(t, f, staff, early)
	wantField(t, err, "avant_pose", "date")
	_, err = functiontest.Ask(t, f, staff, negative)
	wantField(t, err, "champs_invalides", "index")

	got := functiontest.MustAsk(t, f, staff, ok)
	if got.Etat != resilie || got.ResilieLe != ok.Date || got.Version != c.Version+1 || got.Poses[0].Au != ok.Date || *got.Poses[0].IndexFin != 120 || got.Abonne.Adresse != ok.Adresse {
		t.Errorf("got %+v", got)
	}
	told := functiontest.Emitted[message.ContratResilie](t, f)
	if len(told) != 1 || told[0].Pose.ID != got.Poses[0].ID || told[0].Version != got.Version || told[0].Date != ok.Date || told[0].Adresse != ok.Adresse {
		t.Errorf("told %+v", told)
	}
	_, err = functiontest.Ask(t, f, staff, ok)
	wantCode(t, err, "pas_actif")

	// The PDL and the meter are free for the next abonne, whose pose is no business of the old contract.
	next := demande(t, f, 2)
	next.PDL, next.PDLID, next.Compteur = nil, c.PDL.ID, message.NouveauCompteur{Serie: c.Poses[0].Compteur.Serie, CalibreMM: 15,
		Roues: c.Poses[0].Compteur.Roues, LitresParUnite: c.Poses[0].Compteur.LitresParUnite, Annee: c.Poses[0].Compteur.Annee}
	n := functiontest.MustAsk(t, f, staff, next)
	functiontest.MustAsk(t, f, staff, message.Signer{ContratID: n.ID, Signataire: "x"})
	n = functiontest.MustAsk(t, f, staff, message.Activer{ContratID: n.ID, Date: today, Index: 120})
	if n.Etat != actif || len(n.Poses) != 1 {
		t.Errorf("next contract: %+v", n)
	}
	if old := functiontest.MustAsk(t, f, staff, message.ContratParID{ID: c.ID}); len(old.Poses) != 1 || old.Poses[0].ID != got.Poses[0].ID {
		t.Errorf("old contract: %+v", old.Poses)
	}
}
