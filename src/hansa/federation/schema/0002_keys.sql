-- Every key that a partner has ever had, with the span in which it is good. A paper is held
-- against the key that was good when it was signed, so that a row is never deleted and neither
-- its key nor its beginning ever change; only its end comes, by a later card or a revocation.
create table federation_key (
    party text not null references federation_partner,
    kid text not null check (kid ~ '^[0-9a-f]{16}$'),
    public_key text not null unique,
    valid_from timestamptz not null,
    valid_to timestamptz,
    heard_at timestamptz not null,
    revoked_at timestamptz,
    primary key (party, kid)
);

-- The certificates of its TLS connections, each known by the SHA-256 of its DER. A certificate is
-- shown to whoever connects, so that anyone can put another's on a card: there it proves nothing
-- without a signature, and is in nobody's way.
create table federation_certificate (
    party text not null references federation_partner,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    der text not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
    heard_at timestamptz not null,
    revoked_at timestamptz,
    primary key (party, sha256)
);

-- Who took trust away or gave it back, and why. kid: empty for the party as a whole.
create table federation_trust_act (
    number bigint generated always as identity primary key,
    party text not null references federation_partner,
    kid text not null,
    act text not null check (act in ('confirm', 'revoke', 'restore')),
    why text not null check (why <> ''),
    by_whom text not null check (by_whom <> ''),
    at timestamptz not null
);

drop trigger federation_partner_key on federation_partner;
drop function federation_keep_key();

insert into federation_key (party, kid, public_key, valid_from, heard_at)
    select party, left(encode(sha256(decode(public_key, 'base64')), 'hex'), 16), public_key,
           '1970-01-01T00:00:00Z', joined_at
    from federation_partner;

-- trust: how a partner proves itself and we to it. edition: of our card, that it was told of and
-- that it is known to have heard; null: it has whatever card it joined with.
-- secret_file: where in the node's folder the secret for token_url is; never the secret itself.
alter table federation_partner
    drop column public_key,
    alter column card_signed_at drop not null,
    add column trust text not null default 'hansa' check (trust in ('hansa', 'oauth2', 'none')),
    add column told_edition integer,
    add column heard_edition integer,
    add column revoked_at timestamptz,
    add column token_url text not null default '',
    add column client_id text not null default '',
    add column secret_file text not null default '',
    add constraint federation_partner_grant check (
        (trust = 'oauth2') = (token_url <> '' and client_id <> '' and secret_file <> '')
    ),
    add constraint federation_partner_card check ((trust = 'hansa') = (card_signed_at is not null));

create function federation_keep_partner() returns trigger language plpgsql as $$
begin
    if new.party <> old.party or new.joined_at <> old.joined_at then
        raise exception 'the name and the joining of a partner never change'
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger federation_partner_keep before update on federation_partner
    for each row execute function federation_keep_partner();

create function federation_keep_key() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'a key or certificate that a partner had is kept for ever'
            using errcode = 'restrict_violation';
    end if;
    if to_jsonb(new) - 'valid_to' - 'revoked_at' <> to_jsonb(old) - 'valid_to' - 'revoked_at' then
        raise exception 'of a key or certificate only the end may change'
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger federation_key_keep before update or delete on federation_key
    for each row execute function federation_keep_key();
create trigger federation_certificate_keep before update or delete on federation_certificate
    for each row execute function federation_keep_key();

create function federation_keep_act() returns trigger language plpgsql as $$
begin
    raise exception 'what was done about trust is only added to'
        using errcode = 'restrict_violation';
end $$;

create trigger federation_trust_act_keep before update or delete on federation_trust_act
    for each row execute function federation_keep_act();

-- Processes that hold TLS contexts or clients of partners look again when they hear this.
create function federation_tell_trust() returns trigger language plpgsql as $$
begin
    perform pg_notify('hansa_trust', '');
    return null;
end $$;

create trigger federation_partner_told after insert or update on federation_partner
    for each statement execute function federation_tell_trust();
create trigger federation_certificate_told after insert or update on federation_certificate
    for each statement execute function federation_tell_trust();

call hansa_isolate('federation_key', 'federation_certificate', 'federation_trust_act');

-- Whoever may see a partner may see its keys: papers are held against them.
grant select on federation_key, federation_certificate to hansa_guest;
create policy of_partners_seen on federation_key for select to hansa_guest
    using (exists (select from federation_partner p where p.party = federation_key.party));
create policy of_partners_seen on federation_certificate for select to hansa_guest
    using (exists (select from federation_partner p where p.party = federation_certificate.party));
