-- What a buyer has reported. request: the hash of what its key asked for. entries: how many
-- lines its log has.
create table assurance_ticket (
    id text primary key,
    seller text not null,
    buyer text not null,
    by_partner boolean not null,
    key text not null,
    request text not null,
    holding text,
    name text not null,
    description text not null,
    severity text not null,
    kind text not null,
    priority text not null,
    state text not null check (state in
        ('acknowledged', 'inProgress', 'pending', 'held', 'resolved', 'closed', 'cancelled',
         'rejected')),
    moved_at timestamptz not null,
    opened_at timestamptz not null,
    entries integer not null check (entries >= 1),
    trace text not null,
    unique (buyer, key),
    foreign key (seller, holding) references inventory_holding (seller, id)
);
create index assurance_ticket_newest on assurance_ticket (opened_at desc, id desc);
create index assurance_ticket_buyer on assurance_ticket (buyer, opened_at desc, id desc);
create index assurance_ticket_to_close on assurance_ticket (moved_at) where state = 'resolved';

-- What happened with it, line by line: a state that it came into, or a note. source: the
-- supplier whose note this is, and source_id how it is called there.
create table assurance_entry (
    ticket text not null references assurance_ticket (id),
    number integer not null check (number >= 1),
    id text not null unique,
    side text not null check (side in ('buyer', 'seller')),
    author text not null,
    state text check (state in
        ('acknowledged', 'inProgress', 'pending', 'held', 'resolved', 'closed', 'cancelled',
         'rejected')),
    text text not null,
    private boolean not null,
    key text,
    source text,
    source_id text,
    at timestamptz not null,
    primary key (ticket, number),
    unique (ticket, key),
    unique (ticket, source, source_id),
    check (state is null or not private),
    check (not (private and side = 'buyer')),
    check ((source is null) = (source_id is null))
);

create function assurance_entry_stays() returns trigger language plpgsql as $$
begin
    raise exception 'what happened with a ticket is never changed' using errcode = 'check_violation';
end $$;
create trigger assurance_entry_stays before update or delete on assurance_entry
    for each row execute function assurance_entry_stays();

-- The ticket that we have opened with a supplier for one of ours. task: sees it through, and is
-- our key there. theirs: its id there, once known; a state without it: they have refused to open
-- one. told: the last line that they have been told of.
create table assurance_relay (
    task text primary key,
    ticket text not null references assurance_ticket (id),
    supplier text not null,
    holding text not null,
    theirs text,
    state text check (state in
        ('acknowledged', 'inProgress', 'pending', 'held', 'resolved', 'closed', 'cancelled',
         'rejected')),
    told integer not null check (told >= 0),
    unique (ticket, supplier, holding),
    foreign key (supplier, holding) references inventory_holding (seller, id),
    check (theirs is null or state is not null)
);
create index assurance_relay_ticket on assurance_relay (ticket);
