-- What an order costs its buyer that was cancelled as it wished, line by line: of orders placed with
-- us, and of those that we have placed with others. Added in the transaction that ends it.
create table order_charge (
    seller text not null,
    "order" text not null,
    item text not null,
    buyer text not null check (buyer <> seller),
    offer text not null,
    offer_name text not null,
    family text not null,
    site text not null,
    holding text,
    quantity integer not null check (quantity > 0),
    net_minor bigint not null check (net_minor > 0),
    currency char(3) not null,
    tax jsonb not null,
    agreement text,
    agreement_version integer,
    due_at timestamptz not null,
    primary key ("order", seller, item),
    check ((agreement is null) = (agreement_version is null))
);
create index order_charge_due on order_charge (due_at);

create trigger order_charge_is_kept before update or delete on order_charge
    for each row execute function order_keeps_its_record();

call hansa_isolate('order_charge');
grant select on order_charge to hansa_guest;
create policy of_the_party on order_charge to hansa_guest using (buyer = hansa_party());
