-- Decks: price lists of calls by dial code. Their rows are files in the node's folder; here is
-- which version says what, who sent it, who has acknowledged it, and since when it counts.

create table catalogue_deck (
    number int generated always as identity primary key,
    name text not null unique,
    seller text not null,
    document jsonb not null,
    added_at timestamptz not null
);

create table catalogue_deck_version (
    deck int not null references catalogue_deck (number),
    version int not null check (version > 0),
    kind text not null check (kind in ('full', 'partial')),
    -- Why a version may speak of the past: what it puts right. Empty for all others.
    correction text not null default '',
    file text not null,
    source_sha256 char(64) not null,
    rows_sha256 char(64) not null,
    rows int not null check (rows > 0),
    -- Its price rows have the ids [first_id, first_id + rows).
    first_id int not null check (first_id > 0),
    received_at timestamptz not null,
    effective_at timestamptz not null,
    -- The version before it that it was checked against; null for none.
    stands_on int,
    imported_at timestamptz not null,
    imported_by text not null,
    published_at timestamptz,
    published_by text,
    primary key (deck, version),
    foreign key (deck, stands_on) references catalogue_deck_version (deck, version),
    check ((published_at is null) = (published_by is null)),
    exclude using gist (int4range(first_id, first_id + rows) with &&)
);

create table catalogue_deck_receipt (
    deck int not null,
    version int not null,
    party text not null,
    at timestamptz not null,
    noted_at timestamptz not null,
    noted_by text not null,
    primary key (deck, version, party),
    foreign key (deck, version) references catalogue_deck_version (deck, version)
);

-- A version is never edited: it is published once, and a correction is another version.
create function catalogue_deck_version_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.published_at is null
       and to_jsonb(new) - 'published_at' - 'published_by'
         = to_jsonb(old) - 'published_at' - 'published_by' then
        return new;
    end if;
    raise exception 'a version of a deck is never changed';
end $$;
create trigger catalogue_deck_version_unchanging before update or delete on catalogue_deck_version
    for each row execute function catalogue_deck_version_guard();

create function catalogue_deck_receipt_guard() returns trigger language plpgsql as $$
begin
    raise exception 'a receipt is kept as it was given';
end $$;
create trigger catalogue_deck_receipt_unchanging before update or delete on catalogue_deck_receipt
    for each row execute function catalogue_deck_receipt_guard();

call hansa_isolate('catalogue_deck', 'catalogue_deck_version', 'catalogue_deck_receipt');
