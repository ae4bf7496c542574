-- Needs that are answered part by part: what was asked under a buyer's key, and what has been
-- answered so far. A part is answered once.
create table quote_bulk (
    buyer text not null,
    key text not null check (key <> ''),
    asked text not null,
    primary key (buyer, key)
);

create table quote_bulk_part (
    buyer text not null,
    key text not null,
    position integer not null check (position >= 0),
    quotes text[] not null,
    refusals jsonb not null,
    primary key (buyer, key, position),
    foreign key (buyer, key) references quote_bulk (buyer, key)
);

create trigger quote_bulk_unchanging before update or delete on quote_bulk
    for each row execute function quote_unchanging();
create trigger quote_bulk_part_unchanging before update or delete on quote_bulk_part
    for each row execute function quote_unchanging();

-- A guest asks in bulk for itself alone.
call hansa_isolate('quote_bulk', 'quote_bulk_part');
grant select, insert on quote_bulk, quote_bulk_part to hansa_guest;
create policy of_the_party on quote_bulk to hansa_guest
    using (buyer = hansa_party()) with check (buyer = hansa_party());
create policy of_the_party on quote_bulk_part to hansa_guest
    using (buyer = hansa_party()) with check (buyer = hansa_party());
