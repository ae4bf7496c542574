-- Systems that are let in by a token of ours. secret_hash: SHA-256 of a secret of 256 random bits.
create table client (
    id text primary key,
    name text not null check (name <> ''),
    party text not null,
    role text not null check (role in ('partner', 'customer', 'operator')),
    scopes text[] not null check (cardinality(scopes) >= 1),
    secret_hash text not null check (secret_hash ~ '^[0-9a-f]{64}$'),
    made_at timestamptz not null,
    made_by text not null,
    revoked_at timestamptz,
    revoked_by text not null
);

-- Whom a client stands for never changes, and what was revoked stays so.
create function client_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.revoked_at is not null or (new.id, new.party, new.role,
        new.secret_hash, new.made_at) <> (old.id, old.party, old.role, old.secret_hash, old.made_at)
    then
        raise exception 'a client keeps whom it stands for, and a revoked one stays revoked'
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger client_stays before update or delete on client
    for each row execute function client_stays();
