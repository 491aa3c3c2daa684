-- +goose Up
insert into definition (code, version, contenu) values ('fuite', 1, $json${
  "titre": "Fuite",
  "declencheur": "fr.aquaerp.facture.fuite-detectee.v1",
  "annulation": "fr.aquaerp.facture.fuite-attestee.v1",
  "etapes": [
    {"code": "attestation", "titre": "Attendre l'attestation du plombier pendant un mois", "nature": "ATTENTE_DATE", "date": "fuite.apres_delai"},
    {"code": "classement", "titre": "Classer le dossier sans plafonnement", "nature": "ACTION", "apres": ["attestation"], "delai_minutes": 60, "action": "facture.classer-fuite"},
    {"code": "fin", "titre": "Dossier clos", "nature": "FIN", "apres": ["classement"]}
  ]
}$json$);

-- +goose Down
delete from definition where code = 'fuite' and version = 1;
