package main

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// fuite is what a bill knows of a leak that its readings show.
type fuite struct {
	tarif.Periode
	moyenne  int64
	attestee bool
}

// detecterFuites opens a file for each real reading of a dwelling that shows
// more than a multiple of its usual volume, and tells of it.
func detecterFuites(ctx context.Context, tx *function.Tx, releves []message.ReleveValide) error {
	var ids []string
	for _, r := range releves {
		if !r.Estimee {
			ids = append(ids, r.ContratID)
		}
	}
	rows, err := tx.Query(ctx, "select id::text from contrat where id = any($1::uuid[]) and habitation", ids)
	if err != nil {
		return err
	}
	if ids, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(ids) == 0 {
		return err
	}
	dossiers, err := loadDossiers(ctx, tx, ids)
	if err != nil {
		return err
	}
	byID := map[string]*dossier{}
	for _, d := range dossiers {
		byID[d.contrat.id] = d
	}
	multiple, err := regle(ctx, tx, "FUITE_MULTIPLE")
	if err != nil {
		return err
	}
	comparables := map[string][2]int64{}
	for _, r := range releves {
		d := byID[r.ContratID]
		if d == nil || r.Estimee {
			continue
		}
		periode, volume, ok := d.depuisLeDernier(r)
		if !ok || volume == 0 {
			continue
		}
		moyenne, reference := int64(0), "ABONNE"
		if mean, known := d.usual(periode); known {
			moyenne = mean
		} else {
			reference = "LOGEMENTS_COMPARABLES"
			par, seen := comparables[d.contrat.commune]
			if !seen {
				if par, err = consommationComparable(ctx, tx, d.contrat.commune, r.Date); err != nil {
					return err
				}
				comparables[d.contrat.commune] = par
			}
			if par[1] > 0 {
				moyenne = par[0] * int64(periode.Au-periode.Du) * int64(d.contrat.logements) / par[1]
			}
		}
		if moyenne > 0 && volume > multiple*moyenne {
			if err := ouvrirFuite(ctx, tx, r, periode, volume, moyenne, multiple, reference); err != nil {
				return err
			}
		}
	}
	return nil
}

// depuisLeDernier is the volume that a reading shows since the real one before it.
func (d *dossier) depuisLeDernier(r message.ReleveValide) (p tarif.Periode, litres int64, ok bool) {
	points := slices.DeleteFunc(d.known(), func(p point) bool { return p.estimee })
	p.Au = tarif.DateOf(r.Date.Time())
	for _, q := range points {
		if q.date < p.Au {
			p.Du, ok = q.date, true
		}
	}
	if ok {
		litres = d.volume(points, p.Du, p.Au)
	}
	return p, litres, ok
}

// consommationComparable is what the dwellings of a commune were billed over
// a year, in litres for so many days of one dwelling; zeros when too few were.
func consommationComparable(ctx context.Context, tx *function.Tx, commune string, jusqua message.Date) (out [2]int64, err error) {
	least, err := regle(ctx, tx, "FUITE_COMPARABLES")
	if err != nil {
		return out, err
	}
	var n int64
	err = tx.QueryRow(ctx, `select count(distinct c.id), coalesce(sum(f.volume_litres), 0)::bigint, coalesce(sum((f.au - f.du) * c.logements), 0)::bigint
		from contrat c join facture f on f.contrat_id = c.id
		where c.code_insee = $1 and c.habitation and f.nature in ('FACTURE', 'SOLDE') and f.numero is not null and f.etat <> 'ANNULEE_PAR_AVOIR'
			and not f.estimee and not f.anormale and f.au > $2::date - 365 and f.au <= $2`, commune, jusqua).Scan(&n, &out[0], &out[1])
	if n < least {
		out = [2]int64{}
	}
	return out, err
}

// ouvrirFuite opens a file, once for a reading.
func ouvrirFuite(ctx context.Context, tx *function.Tx, r message.ReleveValide, p tarif.Periode, volume, moyenne, multiple int64, reference string) error {
	e := message.FuiteDetectee{FuiteID: function.NewID(), ContratID: r.ContratID, Du: dateDe(p.Du), Au: dateDe(p.Au),
		VolumeLitres: volume, MoyenneLitres: moyenne, PlafondLitres: multiple * moyenne}
	mois, err := regle(ctx, tx, "FUITE_ATTESTATION_MOIS")
	if err != nil {
		return err
	}
	e.Jusqua = tx.Today().AddMonths(int(mois))
	err = tx.QueryRow(ctx, `with neuve as (
			insert into dossier_fuite (id, contrat_id, releve_id, du, au, volume_litres, moyenne_litres, reference, informe_le, jusqua, etat, cree_a)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'OUVERTE', $11) on conflict (releve_id) do nothing returning contrat_id)
		select numero, abonne_id, nom, email, adresse, lieu from neuve join contrat on contrat.id = contrat_id`,
		e.FuiteID, r.ContratID, r.ReleveID, e.Du, e.Au, volume, moyenne, reference, tx.Today(), e.Jusqua, tx.Now).
		Scan(&e.Contrat, &e.AbonneID, &e.Nom, &e.Email, &e.Adresse, &e.Lieu)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err == nil {
		tx.Emit(e.FuiteID, 0, e)
	}
	return err
}

// attesterFuite records a certificate, and caps the bill if it is issued.
func attesterFuite(ctx context.Context, tx *function.Tx, c message.AttesterFuite) (message.Fuite, error) {
	f, err := lockFuite(ctx, tx, c.FuiteID)
	if err != nil {
		return f, err
	}
	var habitation bool
	if err := tx.QueryRow(ctx, "select habitation from contrat where id = $1", f.ContratID).Scan(&habitation); err != nil {
		return f, err
	}
	switch {
	case f.Etat == "ATTESTEE":
		return f, function.Conflict("deja_attestee", "Une attestation du "+f.RecueLe.Francais()+" est déjà enregistrée.", "A certificate of "+f.RecueLe.String()+" is recorded already.")
	case !habitation:
		return f, function.Refused("pas_une_habitation", "Le plafonnement est réservé aux locaux d'habitation (CGCT L2224-12-4 III bis).", "The cap is for dwellings only.")
	case c.Cause != "CANALISATION":
		return f, function.Invalid("cause", "cause_exclue",
			"Les fuites d'appareils ménagers et d'équipements sanitaires ou de chauffage sont exclues du plafonnement (CGCT R2224-20-1).",
			"Leaks of household appliances, sanitary or heating equipment are excluded from the cap.")
	case c.RecueLe.After(tx.Today()):
		return f, function.Invalid("recue_le", "date_future", "Cette date est dans le futur.", "This date is in the future.")
	case c.ReparationLe.After(c.RecueLe):
		return f, function.Invalid("reparation_le", "reparation_apres_attestation", "La réparation précède l'attestation.", "The repair comes before its certificate.")
	case c.ReparationLe.Before(f.Du):
		return f, function.Invalid("reparation_le", "reparation_anterieure",
			"La réparation est antérieure à la fuite : le relevé précédent est du "+f.Du.Francais()+".", "The repair was before the leak: the reading before is of "+f.Du.String()+".")
	case c.RecueLe.After(f.Jusqua):
		return f, function.Invalid("recue_le", "attestation_tardive",
			"L'attestation devait parvenir avant le "+f.Jusqua.AddDays(1).Francais()+" : la facture reste due en entier.",
			"The certificate was due by "+f.Jusqua.String()+": the bill is due in full.")
	}
	avoirID, centimes, err := plafonner(ctx, tx, f, c.Simulation)
	if err != nil {
		return f, err
	}
	if c.Simulation {
		f.AvoirCentimes = centimes
		return f, nil
	}
	_, err = tx.Exec(ctx, `update dossier_fuite set etat = 'ATTESTEE', recue_le = $2, reparation_le = $3, lieu = $4, plombier = $5, avoir_id = nullif($6, '')::uuid where id = $1`,
		f.ID, c.RecueLe, c.ReparationLe, c.Lieu, c.Plombier, avoirID)
	if err != nil {
		return f, err
	}
	tx.Emit(f.ID, 0, message.FuiteAttestee{FuiteID: f.ID})
	return loadFuite(ctx, tx, f.ID)
}

// plafonner prices the issued bill of a leak again with its cap, and takes the
// difference back. Without an issued bill, the lot to come caps it.
func plafonner(ctx context.Context, tx *function.Tx, f message.Fuite, simulation bool) (avoirID string, centimes int64, err error) {
	if f.FactureID == "" {
		var prepared bool
		err := tx.QueryRow(ctx, `select exists (select from facture where contrat_id = $1 and du < $2 and au >= $2 and etat = 'CALCULEE')`, f.ContratID, f.Au).Scan(&prepared)
		if err == nil && prepared {
			err = function.Conflict("lot_en_cours",
				"La facture de cette période est en préparation dans un lot : émettez-le ou rejetez-le d'abord. Le jour de réception de l'attestation reste celui que vous indiquez.",
				"The bill of this period is being prepared in a lot: issue or reject it first. The day on which the certificate came stays what you enter.")
		}
		return "", 0, err
	}
	bill, deja, err := corrigible(ctx, tx, f.FactureID)
	if err != nil {
		return "", 0, err
	}
	var cas tarif.Cas
	var o origine
	if err := tx.QueryRow(ctx, "select cas, origine from facture where id = $1", bill.ID).Scan(&cas, &o); err != nil {
		return "", 0, err
	}
	capped := cas.Fuite
	if capped == nil { // the bill knew of no usual volume: that of the file counts, with the multiple that was told
		capped = &tarif.Fuite{VolumeMoyenLitres: f.MoyenneLitres, Multiple: f.PlafondLitres / f.MoyenneLitres}
		cas.Fuite = capped
	}
	capped.Attestation, capped.Informe = true, true
	want, err := tarifer(&cas, &o)
	if err != nil {
		return "", 0, refusDeCalcul(err)
	}
	lignes := difference(bill.Lignes, want.lignes)
	if len(lignes) == 0 {
		return "", 0, nil // the bill is below its cap
	}
	a, err := avoir(ctx, tx, bill, deja, lignes, "Fuite après compteur attestée : volume plafonné (CGCT L2224-12-4 III bis)", simulation)
	return a.AvoirID, a.TTCCentimes, err
}

// difference are the lines that lead from a bill to another of the same case.
func difference(from, to []message.LigneFacture) (out []message.LigneFacture) {
	for _, l := range from {
		l.HTCentimes, l.Litres, l.Jours, l.Regle, l.Exact = -l.HTCentimes, -l.Litres, -l.Jours, 0, ""
		if i := slices.IndexFunc(to, func(w message.LigneFacture) bool { return w.Code == l.Code }); i >= 0 {
			l.HTCentimes, l.Litres, l.Jours = l.HTCentimes+to[i].HTCentimes, l.Litres+to[i].Litres, l.Jours+to[i].Jours
		}
		if l.HTCentimes != 0 {
			out = append(out, l)
		}
	}
	return out
}

// classerFuite closes a file whose month has passed; workflow asks for it.
func classerFuite(ctx context.Context, tx *function.Tx, c message.ClasserFuite) (message.Fuite, error) {
	f, err := lockFuite(ctx, tx, c.FuiteID)
	if err != nil || f.Etat != "OUVERTE" {
		return f, err
	}
	if !tx.Today().After(f.Jusqua) {
		return f, function.Conflict("delai_en_cours", "L'abonné a jusqu'au "+f.Jusqua.Francais()+" pour envoyer l'attestation.", "The abonne has until "+f.Jusqua.String()+" to send the certificate.")
	}
	if _, err := tx.Exec(ctx, "update dossier_fuite set etat = 'CLASSEE' where id = $1", f.ID); err != nil {
		return f, err
	}
	return loadFuite(ctx, tx, f.ID)
}

func lockFuite(ctx context.Context, tx *function.Tx, id string) (message.Fuite, error) {
	if _, err := tx.Exec(ctx, "select from dossier_fuite where id = $1 for update", id); err != nil {
		return message.Fuite{}, err
	}
	return loadFuite(ctx, tx, id)
}

func loadFuite(ctx context.Context, tx *function.Tx, id string) (message.Fuite, error) {
	all, err := selectFuites(ctx, tx, "d.id = $1", id)
	if err == nil && len(all) == 0 {
		err = function.NotFound("fuite_inconnue", "Ce dossier de fuite n'existe pas.", "There is no such file of a leak.")
	}
	if err != nil {
		return message.Fuite{}, err
	}
	return all[0], nil
}

// fuites lists files: what waits first, by what is due first, then the others.
func fuites(ctx context.Context, tx *function.Tx, q message.Fuites) (page message.PageFuites, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	skip, _ := strconv.Atoi(after.key)
	page.Items, err = selectFuites(ctx, tx, "($1 = '' or d.etat = $1) order by d.etat <> 'OUVERTE', case when d.etat = 'OUVERTE' then d.jusqua end, d.jusqua desc, d.id offset $2 limit $3",
		q.Etat, skip, q.Size()+1)
	if err == nil && len(page.Items) > q.Size() {
		page.Items = page.Items[:q.Size()]
		page.Suivant = cursor{strconv.Itoa(skip + q.Size()), ""}.String()
	}
	return page, err
}

// selectFuites reads files with the issued bill that holds their volume.
func selectFuites(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Fuite, error) {
	rows, err := tx.Query(ctx, `select d.id, d.contrat_id, c.numero, c.abonne_id, c.nom, c.pdl, c.lieu, d.du, d.au, d.volume_litres, d.moyenne_litres, d.reference,
			d.moyenne_litres * (select valeur from regle_service where code = 'FUITE_MULTIPLE' and periode @> d.informe_le),
			d.informe_le, d.jusqua, d.etat, d.recue_le, d.reparation_le, d.lieu, d.plombier,
			coalesce(f.id::text, ''), coalesce(f.numero, ''), coalesce(a.id::text, ''), coalesce(a.numero, ''), coalesce(a.ttc_centimes, 0)
		from dossier_fuite d join contrat c on c.id = d.contrat_id
		left join facture a on a.id = d.avoir_id
		left join lateral (select id, numero from facture where contrat_id = d.contrat_id and du < d.au and au >= d.au
			and nature in ('FACTURE', 'SOLDE') and numero is not null and etat <> 'ANNULEE_PAR_AVOIR' order by au desc limit 1) f on true
		where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.Fuite])
}
