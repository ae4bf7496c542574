create extension if not exists btree_gist;

create table inventory_holding (
    seller text not null,
    id text not null,
    buyer text not null,
    item text not null,
    offer text not null,
    offer_name text not null,
    family text not null check (family in ('connectivity', 'security', 'voice', 'broadband')),
    site jsonb,
    agreement text,
    agreement_version integer check (agreement_version >= 1),
    state text not null check (state in ('active', 'terminated')),
    trace text not null,
    primary key (seller, id),
    check ((agreement is null) = (agreement_version is null))
);
create index inventory_holding_buyer on inventory_holding (buyer);

-- No two spells of a holding overlap: the key says so.
create table inventory_spell (
    seller text not null,
    holding text not null,
    valid tstzrange not null check (
        not isempty(valid) and lower_inc(valid) and not upper_inc(valid)
        and lower(valid) > '-infinity'
        and (upper_inf(valid) or upper(valid) < 'infinity')),
    order_id text not null,
    quantity integer not null check (quantity >= 1),
    characteristics jsonb not null,
    terms jsonb not null,
    tax jsonb not null,
    primary key (seller, holding, valid without overlaps),
    foreign key (seller, holding) references inventory_holding (seller, id)
);

-- And there is no gap between them.
create function inventory_spell_gap() returns trigger language plpgsql as $$
begin
    if exists (
        select 1 from (
            select range_agg(s.valid) as life
            from inventory_spell s
            where (s.seller, s.holding) in (select seller, holding from touched)
            group by s.seller, s.holding) lives
        where life <> multirange(range_merge(life)))
    then
        raise exception 'the spells of a holding leave a gap' using errcode = 'check_violation';
    end if;
    return null;
end $$;
create trigger inventory_spell_gap_insert after insert on inventory_spell
    referencing new table as touched for each statement execute function inventory_spell_gap();
create trigger inventory_spell_gap_update after update on inventory_spell
    referencing new table as touched for each statement execute function inventory_spell_gap();
create trigger inventory_spell_gap_delete after delete on inventory_spell
    referencing old table as touched for each statement execute function inventory_spell_gap();

-- Which orders shaped a holding, the first being the one that brought it. before: the spell
-- that the order ended, null for the first.
create table inventory_change (
    seq bigint generated always as identity,
    seller text not null,
    holding text not null,
    order_id text not null,
    fingerprint text not null,
    before jsonb,
    reverted_at timestamptz check (reverted_at is null or before is not null),
    primary key (seller, holding, order_id),
    foreign key (seller, holding) references inventory_holding (seller, id)
);

-- Kept when the lower one ends: its usage up to then is still the upper one's.
create table inventory_support (
    upper_seller text not null,
    upper_id text not null,
    lower_seller text not null,
    lower_id text not null,
    metered boolean not null,
    primary key (upper_seller, upper_id, lower_seller, lower_id),
    foreign key (upper_seller, upper_id) references inventory_holding (seller, id),
    foreign key (lower_seller, lower_id) references inventory_holding (seller, id),
    check ((upper_seller, upper_id) <> (lower_seller, lower_id))
);
create index inventory_support_lower on inventory_support (lower_seller, lower_id);
