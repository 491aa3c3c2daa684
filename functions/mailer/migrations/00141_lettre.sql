-- A letter that cannot be sent by mail or as a text message goes by post.

-- +goose Up
alter table envoi
  add lettre text, -- of a text message that stands for a letter: what is printed when it does not arrive
  add constraint envoi_lettre_check check (lettre is null or canal = 'SMS' and etat not in ('DELIVERED', 'FAILED'));

-- +goose Down
alter table envoi drop lettre;
