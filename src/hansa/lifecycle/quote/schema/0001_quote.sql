create table quote_quote (
    id text primary key,
    buyer text not null,
    currency char(3) not null,
    made_at timestamptz not null,
    valid_until timestamptz not null check (valid_until > made_at),
    trace text not null,
    trail text[] not null,
    document jsonb not null
);
create index quote_buyer on quote_quote (buyer, made_at);

-- The suppliers' quotes that stand behind one of ours.
create table quote_supply (
    quote text not null references quote_quote (id),
    position integer not null,
    seller text not null,
    document jsonb not null,
    primary key (quote, position)
);

create function quote_unchanging() returns trigger language plpgsql as $$
begin
    raise exception 'a quote is never changed; make a new one' using errcode = '42501';
end $$;
create trigger quote_unchanging before update or delete on quote_quote
    for each row execute function quote_unchanging();
create trigger quote_supply_unchanging before update or delete on quote_supply
    for each row execute function quote_unchanging();
