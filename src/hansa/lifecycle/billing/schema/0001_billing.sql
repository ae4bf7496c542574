-- The last invoice number of an issuer in a year. Its row lock makes numbers gapless: whoever
-- takes the next number holds it until its transaction commits, or gives it back.
create table billing_counter (
    issuer text not null,
    year integer not null,
    last integer not null check (last > 0),
    primary key (issuer, year)
);

create table billing_bill (
    id text primary key,
    kind_of text not null check (kind_of in ('services', 'revenue-share')),
    issuer text not null,
    buyer text not null check (buyer <> issuer),
    agreement text,
    agreement_version integer,
    period_start timestamptz not null,
    period_end timestamptz not null check (period_end > period_start),
    currency char(3) not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    lines jsonb not null,
    state text not null check (state in ('new', 'onHold', 'validated', 'sent', 'settled')),
    made_at timestamptz not null,
    year integer,
    serial integer,
    number text,
    issued_at timestamptz,
    check ((agreement is null) = (agreement_version is null)),
    check ((state in ('new', 'onHold')) = (number is null)),
    check (num_nulls(year, serial, number, issued_at) in (0, 4)),
    unique (issuer, year, serial),
    unique (issuer, number),
    unique nulls not distinct
        (issuer, buyer, kind_of, agreement, agreement_version, currency, period_start)
);
create index billing_bill_new on billing_bill (id) where state in ('new', 'onHold');
create index billing_bill_period on billing_bill (period_start, buyer);

-- A final bill moves only onward through its states; nothing else of it ever changes.
create function billing_bill_guard() returns trigger language plpgsql as $$
begin
    if tg_op in ('DELETE', 'TRUNCATE') then
        raise exception 'a bill is never deleted' using errcode = '42501';
    end if;
    if (new.id, new.issuer, new.buyer, new.kind_of, new.currency, new.period_start, new.made_at)
        is distinct from
       (old.id, old.issuer, old.buyer, old.kind_of, old.currency, old.period_start, old.made_at)
    then
        raise exception 'bill % keeps its parties, currency and period', old.id
            using errcode = '42501';
    end if;
    if old.number is not null
       and to_jsonb(new) - 'state' is distinct from to_jsonb(old) - 'state' then
        raise exception 'bill % is final and cannot be changed', old.id using errcode = '42501';
    end if;
    if old.number is null and new.number is not null and new.serial > 1 and not exists (
        select from billing_bill
        where issuer = new.issuer and year = new.year and serial = new.serial - 1
    ) then
        raise exception 'invoice number % leaves a gap', new.number using errcode = '23514';
    end if;
    return new;
end $$;
create trigger billing_bill_guard before update or delete on billing_bill
    for each row execute function billing_bill_guard();
create trigger billing_bill_kept before truncate on billing_bill
    for each statement execute function billing_bill_guard();

-- Which buyers' months have been billed, so that each is billed once.
create table billing_month (
    us text not null,
    buyer text not null,
    period_start timestamptz not null,
    billed_at timestamptz not null,
    primary key (us, period_start, buyer)
);

-- Periods in which every buyer has been billed.
create table billing_period (
    us text not null,
    period_start timestamptz not null,
    billed_at timestamptz not null,
    primary key (us, period_start)
);

-- Final invoices of partners to us, as booked. Never changed.
create table billing_supplier_invoice (
    us text not null,
    bill text not null,
    number text not null,
    kind_of text not null check (kind_of in ('services', 'revenue-share')),
    issuer text not null check (issuer <> us),
    statement text not null unique,
    agreement text not null,
    agreement_version integer not null,
    period_start timestamptz not null,
    period_end timestamptz not null,
    currency char(3) not null,
    net_minor bigint not null,
    tax_minor bigint not null,
    issued_at timestamptz not null,
    booked_at timestamptz not null,
    entry text not null,
    primary key (issuer, bill),
    unique (issuer, number)
);
create function billing_supplier_invoice_guard() returns trigger language plpgsql as $$
begin
    raise exception 'a booked supplier invoice is never changed' using errcode = '42501';
end $$;
create trigger billing_supplier_invoice_guard before update or delete or truncate
    on billing_supplier_invoice
    for each statement execute function billing_supplier_invoice_guard();
