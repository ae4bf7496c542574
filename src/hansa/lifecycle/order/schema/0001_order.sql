create table order_order (
    id text primary key,
    kind text not null check (kind in ('provide', 'cease')),
    buyer text not null,
    by_partner boolean not null,
    key text not null,
    request text not null,
    quote text not null references quote_quote (id),
    ends text references order_order (id),
    state text not null check (state in
        ('acknowledged', 'inProgress', 'completed', 'failed', 'cancelled')),
    reason text not null default '',
    hold text,
    placed_at timestamptz not null,
    ended_at timestamptz,
    trace text not null,
    unique (buyer, key),
    check ((kind = 'cease') = (ends is not null)),
    check ((state in ('completed', 'failed', 'cancelled')) = (ended_at is not null))
);
-- A quote is ordered once.
create unique index order_quote on order_order (quote) where kind = 'provide';
create index order_to_deliver on order_order (placed_at) where state = 'acknowledged';
create index order_newest on order_order (placed_at desc);
create index order_ends on order_order (ends) where ends is not null;

-- Every move, in the order it was made; never changed.
create table order_move (
    "order" text not null references order_order (id),
    number integer generated always as identity,
    state text not null,
    reason text not null,
    at timestamptz not null,
    primary key ("order", number)
);
