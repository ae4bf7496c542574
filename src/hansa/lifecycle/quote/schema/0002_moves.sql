-- What became of a quote: it was accepted, rejected or cancelled, once and for all.
create table quote_move (
    quote text primary key references quote_quote (id),
    state text not null check (state in ('accepted', 'rejected', 'cancelled')),
    reason text not null default '',
    at timestamptz not null
);
create trigger quote_move_unchanging before update or delete on quote_move
    for each row execute function quote_unchanging();

-- What the client sent beside what we understand: JSON text, to be given back as it came.
create table quote_extra (
    quote text primary key references quote_quote (id),
    document text not null
);
create trigger quote_extra_unchanging before update or delete on quote_extra
    for each row execute function quote_unchanging();

