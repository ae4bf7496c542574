-- Which months are rated: a row for each holding while a month is worked on, then one for all.
create table rating_holding (
    seller   text not null,
    holding  text not null,
    period   text not null check (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    rated_at timestamptz not null,
    missing  boolean not null,
    primary key (seller, holding, period),
    foreign key (seller, holding) references inventory_holding (seller, id)
);

create table rating_period (
    period   text primary key references usage_period,
    rated_at timestamptz not null
);

-- nano: billionths of the currency's major unit; a month's line may be more than a bigint holds.
create table rating_line (
    seller      text not null,
    holding     text not null,
    period      text not null,
    label       text not null check (label <> ''),
    description text not null,
    quantity    numeric not null,
    unit        text not null,
    nano        numeric(38, 0) not null,
    currency    char(3) not null check (currency ~ '^[A-Z]{3}$'),
    reason      jsonb not null,
    primary key (seller, holding, period, label),
    foreign key (seller, holding, period) references rating_holding (seller, holding, period)
);

create function rating_line_stays() returns trigger language plpgsql as $$
begin
    raise exception 'a rated line is not changed; correct it in a later month'
        using errcode = 'check_violation';
end $$;

create trigger rating_line_stays before update or delete on rating_line
    for each row execute function rating_line_stays();
