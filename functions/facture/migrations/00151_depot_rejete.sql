-- Under which reference a document was sent before a person had it sent again: that flow is not the answer to the new one.

-- +goose Up
alter table relance_depot add reference text not null default '';

-- +goose Down
alter table relance_depot drop column reference;
