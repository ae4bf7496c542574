-- A statement's lines are kept beside its document, as compressed parts of their canonical JSON,
-- with what a confirmation says of them. Statements made before have their lines in the document.
alter table settlement_statement
    add column lines_fingerprint text check (lines_fingerprint ~ '^[0-9a-f]{64}$'),
    add column net_by_offer jsonb,
    add column parts bytea[],
    add check (num_nulls(lines_fingerprint, net_by_offer, parts) in (0, 3));
alter table settlement_statement alter column parts set storage external;

create or replace function settlement_statement_guard() returns trigger language plpgsql as $$
begin
    if tg_op in ('DELETE', 'TRUNCATE') then
        raise exception 'a statement is never deleted' using errcode = '42501';
    end if;
    if (new.id, new.direction, new.document, new.fingerprint, new.signature,
        new.lines_fingerprint, new.net_by_offer, new.parts) is distinct from
       (old.id, old.direction, old.document, old.fingerprint, old.signature,
        old.lines_fingerprint, old.net_by_offer, old.parts)
       or (old.confirmation is not null and new.confirmation is distinct from old.confirmation)
       or (old.state in ('invoiced', 'withdrawn') and new.state <> old.state)
       or (old.netting is not null and new.netting is distinct from old.netting) then
        raise exception 'statement % cannot be changed so', old.id using errcode = '42501';
    end if;
    return new;
end $$;
