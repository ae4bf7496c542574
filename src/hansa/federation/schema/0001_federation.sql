-- The operators with which this node trades, each known by its key. A partner's key never
-- changes: another key is another partner, and has to be agreed between people.
create table federation_partner (
    party text primary key check (party ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
    name text not null check (name <> ''),
    country char(2) not null,
    currency char(3) not null,
    tax_id text not null,
    address text not null check (address ~ '^https?://'),
    public_key text not null unique,
    dialect text not null check (dialect in ('tmf', 'sonata')),
    card_signed_at timestamptz not null,
    joined_at timestamptz not null
);

create function federation_keep_key() returns trigger language plpgsql as $$
begin
    if new.party <> old.party or new.public_key <> old.public_key
        or new.joined_at <> old.joined_at then
        raise exception 'the name, the key and the joining of a partner never change'
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger federation_partner_key before update on federation_partner
    for each row execute function federation_keep_key();
