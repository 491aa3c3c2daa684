-- Where the accounts of money come from.

-- +goose Up
update compte set source = 'plan de comptes M49, compte ' || numero where numero in ('471', '5115', '5116');
update compte set source = 'plan de comptes M49, compte ' || numero || ' ; à vérifier pour les écarts de caisse d''une régie', journal = 'OD' where numero in ('658', '758');

-- +goose Down
update compte set source = '' where numero in ('471', '5115', '5116', '658', '758');
