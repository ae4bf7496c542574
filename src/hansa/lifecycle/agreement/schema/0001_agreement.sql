create extension if not exists btree_gist;

create function agreement_keeps_its_record() returns trigger language plpgsql as $$
begin
    raise exception '% is a record: rows are added, never changed or removed', tg_table_name
        using errcode = 'restrict_violation';
end $$;

-- One row an agreement: the row that everyone who changes it locks first.
create table agreement_life (
    id text primary key check (id <> ''),
    lead text not null
);
create trigger agreement_life_is_kept before update or delete or truncate on agreement_life
    for each statement execute function agreement_keeps_its_record();

-- What was drafted (for ever) and where it stands (worked out anew after every notice).
create table agreement_version (
    agreement text not null references agreement_life (id),
    version integer not null check (version > 0),
    fingerprint text not null check (fingerprint ~ '^[0-9a-f]{64}$'),
    document jsonb not null,
    recorded_at timestamptz not null,
    state text not null check (state in (
        'draft', 'signed', 'live', 'suspended', 'run-off', 'ended')),
    in_force tstzrange check (not isempty(in_force)),
    primary key (agreement, version),
    -- At any moment at most one version of an agreement is the one that counts.
    unique (agreement, in_force without overlaps),
    check (document ->> 'id' = agreement and (document ->> 'version')::integer = version),
    check (state <> 'draft' or in_force is null)
);

create function agreement_version_keeps_its_text() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE'
       or (new.agreement, new.version, new.fingerprint, new.document, new.recorded_at)
          is distinct from
          (old.agreement, old.version, old.fingerprint, old.document, old.recorded_at)
    then
        raise exception 'the text of agreement % version % is a record', old.agreement, old.version
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
create trigger agreement_version_is_kept before update or delete on agreement_version
    for each row execute function agreement_version_keeps_its_text();
create trigger agreement_version_is_never_emptied before truncate on agreement_version
    for each statement execute function agreement_keeps_its_record();

create table agreement_party (
    agreement text not null,
    version integer not null,
    party text not null,
    role text not null check (role in ('lead', 'partner', 'member')),
    primary key (agreement, version, party),
    foreign key (agreement, version) references agreement_version (agreement, version)
);
create unique index agreement_party_lead on agreement_party (agreement, version)
    where role = 'lead';
create trigger agreement_party_is_kept before update or delete or truncate on agreement_party
    for each statement execute function agreement_keeps_its_record();

-- Who sells to whom: the way from a trade to its agreements.
create table agreement_item (
    agreement text not null,
    version integer not null,
    position integer not null,
    seller text not null,
    buyer text not null,
    primary key (agreement, version, position),
    foreign key (agreement, version, seller) references agreement_party (agreement, version, party),
    foreign key (agreement, version, buyer) references agreement_party (agreement, version, party),
    check (seller <> buyer)
);
create index agreement_item_trade on agreement_item (seller, buyer);
create trigger agreement_item_is_kept before update or delete or truncate on agreement_item
    for each statement execute function agreement_keeps_its_record();

-- signed_at: as the signer says. recorded_at: when this node learned it.
create table agreement_signature (
    agreement text not null,
    version integer not null,
    party text not null,
    value text not null,
    signed_at timestamptz not null,
    recorded_at timestamptz not null,
    primary key (agreement, version, party),
    foreign key (agreement, version, party) references agreement_party (agreement, version, party)
);
create trigger agreement_signature_is_kept before update or delete or truncate on agreement_signature
    for each statement execute function agreement_keeps_its_record();

create table agreement_country (
    agreement text not null,
    version integer not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    state text not null check (state in ('planned', 'live')),
    live_since timestamptz,
    primary key (agreement, version, country),
    foreign key (agreement, version) references agreement_version (agreement, version),
    check ((state = 'live') = (live_since is not null))
);

create table agreement_gate (
    agreement text not null references agreement_life (id),
    country text not null check (country ~ '^[A-Z]{2}$'),
    gate text not null check (gate <> ''),
    evidence text not null check (evidence <> ''),
    passed_by text not null check (passed_by <> ''),
    passed_at timestamptz not null,
    primary key (agreement, country, gate)
);
create trigger agreement_gate_is_kept before update or delete or truncate on agreement_gate
    for each statement execute function agreement_keeps_its_record();

-- Signed moves as their party sent them. One party's moves never share a moment, so their
-- order is the same at every node, however they arrive.
create table agreement_move (
    agreement text not null,
    moved_by text not null,
    moved_at timestamptz not null,
    version integer not null,
    act text not null check (act in ('launch', 'suspend', 'resume', 'run-off', 'end')),
    notice jsonb not null,
    recorded_at timestamptz not null,
    primary key (agreement, moved_by, moved_at),
    foreign key (agreement, version, moved_by) references agreement_party (agreement, version, party)
);
create trigger agreement_move_is_kept before update or delete or truncate on agreement_move
    for each statement execute function agreement_keeps_its_record();

-- Each version with all that is known of it, in one row.
create view agreement_as_known as
select v.agreement, v.version, v.fingerprint, v.document, v.state, v.in_force,
       lower(v.in_force) as starts, upper(v.in_force) as ends,
       (select jsonb_agg(jsonb_build_array(s.party, s.value, s.signed_at)
                         order by s.signed_at, s.party)
        from agreement_signature s
        where (s.agreement, s.version) = (v.agreement, v.version)) as signatures,
       (select jsonb_agg(jsonb_build_array(c.country, c.state, c.live_since) order by c.country)
        from agreement_country c
        where (c.agreement, c.version) = (v.agreement, v.version)) as countries,
       (select jsonb_agg(jsonb_build_array(g.country, g.gate, g.evidence, g.passed_by, g.passed_at)
                         order by g.country, g.passed_at, g.gate)
        from agreement_gate g where g.agreement = v.agreement) as gates
from agreement_version v;

create table agreement_customer (
    party text primary key,
    name text not null check (name <> ''),
    country text not null check (country ~ '^[A-Z]{2}$'),
    currency char(3) not null,
    tax_id text not null,
    price_list text not null check (price_list <> ''),
    credit_minor bigint check (credit_minor >= 0),
    credit_currency char(3) check (credit_currency = currency),
    registered_at timestamptz not null,
    check ((credit_minor is null) = (credit_currency is null))
);
create trigger agreement_customer_is_kept before update or delete or truncate on agreement_customer
    for each statement execute function agreement_keeps_its_record();
