package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/scripts/road"
)

// TestRoad walks the six steps of the road on a village of 120, then lets the
// web application walk it in a browser.
func TestRoad(t *testing.T) {
	p := start(t, 120, 0)
	r := &road.Road{Demo: p.Demo, Nobody: client.New(p.API, time.Minute), Mails: p.mailbox, Today: today}
	// Every step stands on the one before.
	for _, step := range []struct {
		name string
		walk func(context.Context) error
	}{
		{"login", r.Login},
		{"souscription", r.Souscription},
		{"releves", r.Releves},
		{"lot", r.Facturation},
		{"paiements", r.Paiements},
		{"portail", r.Portails},
	} {
		if !t.Run(step.name, func(t *testing.T) {
			r.Judge = t
			if err := step.walk(t.Context()); err != nil {
				t.Fatal(err)
			}
		}) {
			t.FailNow()
		}
	}
	t.Run("navigateur", p.navigateur)
}

// navigateur has the web application's own tests walk the product.
func (p product) navigateur(t *testing.T) {
	users := map[string]map[string]string{}
	for _, role := range append(slices.Clone(demo.Roles), "abonne") {
		users[role] = map[string]string{"identifiant": demo.Email(role), "mot_de_passe": demo.Password}
	}
	logins := must(json.Marshal(users))(t)
	// Letters take months: the oldest bill that is owed has had them all. And the provider of the tests makes no mistake by itself.
	if _, err := p.connect(t).Exec(t.Context(), `insert into facture.dossier_relance (id, facture_id, abonne_id, etat, niveau, ouvert_le)
		select gen_random_uuid(), id, abonne_id, 'A_TRANSMETTRE', 3, echeance from facture.facture where etat = 'EMISE' order by rang limit 1
		on conflict (facture_id) do update set etat = 'A_TRANSMETTRE', niveau = 3, prochain_le = null;
		insert into facture.notification_refusee values (sha256('e2e'), '{"transaction": "tr-e2e", "montant_centimes": 4321}', 'montant_different',
			'Ce n''est pas le montant qui a été demandé.', 'This is not the amount that was asked for.', now())`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "run", "e2e")
	cmd.Dir = filepath.Join(root, "functions", "frontend", "web")
	cmd.Env = append(os.Environ(), "BASE_URL="+p.Web, "USERS="+string(logins), "PRESTATAIRE="+p.Payment)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
