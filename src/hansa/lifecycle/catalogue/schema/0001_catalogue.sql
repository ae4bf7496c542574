create extension if not exists btree_gist;

create table catalogue_offer (
    code text primary key,
    document jsonb not null
);

create table catalogue_price (
    price_list text not null,
    offer text not null references catalogue_offer (code),
    currency char(3) not null,
    valid tstzrange not null check (not isempty(valid)),
    document jsonb not null,
    -- One price at any moment: a new price is entered by ending the one before it.
    primary key (price_list, offer, currency, valid without overlaps)
);

create table catalogue_reference_rate (
    base char(3) not null,
    quote char(3) not null,
    day date not null,
    source text not null,
    rate numeric not null check (rate > 0),
    learned_at timestamptz not null,
    primary key (source, base, quote, day),
    check (base <> quote)
);

create table catalogue_tax_rule (
    supplier_country text not null,
    customer_country text not null,
    valid_from date not null,
    document jsonb not null,
    primary key (supplier_country, customer_country, valid_from)
);
