-- +goose Up
insert into definition (code, version, contenu) values ('souscription', 1, $json${
  "titre": "Souscription",
  "declencheur": "fr.aquaerp.contrat.signe.v1",
  "annulation": "fr.aquaerp.contrat.annule.v1",
  "etapes": [
    {"code": "retractation", "titre": "Attendre la fin du délai de rétractation", "nature": "ATTENTE_DATE", "date": "contrat.pas_avant"},
    {"code": "commande", "titre": "Commander l'ouverture de l'eau", "nature": "ACTION", "apres": ["retractation"], "delai_minutes": 60,
     "action": "intervention.creer", "parametres": {"nature": "OUVERTURE", "consigne": "Ouvrir l'eau et relever l'index du compteur."}},
    {"code": "ouverture", "titre": "Ouvrir l'eau sur place", "nature": "ATTENTE_EVENEMENT", "apres": ["commande"],
     "evenement": "intervention.realisee", "echec": "intervention.impossible", "reprend_a": "commande"},
    {"code": "activation", "titre": "Activer le contrat", "nature": "ACTION", "apres": ["ouverture"], "delai_minutes": 60, "action": "contrat.activer"},
    {"code": "fin", "titre": "Contrat actif", "nature": "FIN", "apres": ["activation"]}
  ]
}$json$);

-- +goose Down
delete from definition where code = 'souscription' and version = 1;
