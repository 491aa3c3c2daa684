-- The pages of legal entities and of settings: who may change what bills print, and by which rules they are checked.

-- +goose Up
insert into droit (role, page, actions) values
  ('super_administrateur', 'entites', 'lcms'), ('administrateur', 'entites', 'lcms'), ('auditeur', 'entites', 'l'),
  ('superviseur', 'entites', 'l'), ('comptable', 'entites', 'l'),
  ('super_administrateur', 'reglages', 'lm'), ('administrateur', 'reglages', 'lm'), ('auditeur', 'reglages', 'l'),
  ('superviseur', 'reglages', 'l'), ('comptable', 'reglages', 'l');

-- +goose Down
delete from droit where page in ('entites', 'reglages');
