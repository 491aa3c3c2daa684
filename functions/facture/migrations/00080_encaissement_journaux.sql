-- In which journal the accounts of money stand.

-- +goose Up
update compte set journal = 'BQ' where numero in ('5115', '5116');
update compte set journal = 'OD' where numero = '471';

-- +goose Down
update compte set journal = 'VT' where numero in ('471', '5115', '5116');
