-- Lines of a bill are kept as compressed parts of their canonical JSON: a month may have a million
-- of them. parts: what a statement says of them; runs: the rest, told once of lines that follow one
-- another and are alike. Bills made before have `lines`.
alter table billing_bill alter column lines drop not null;
alter table billing_bill
    add column lines_fingerprint text check (lines_fingerprint ~ '^[0-9a-f]{64}$'),
    add column net_by_offer jsonb,
    add column parts bytea[],
    add column runs bytea[],
    add check (num_nonnulls(lines, parts) = 1),
    add check (num_nulls(lines_fingerprint, net_by_offer, parts, runs) in (0, 4));
alter table billing_bill alter column parts set storage external;
alter table billing_bill alter column runs set storage external;
