-- The wish that an order shall not be; how far it is is said by the order that takes it back.
create table order_cancellation (
    id text primary key,
    "order" text not null unique references order_order (id),
    taken_back_by text not null unique references order_order (id),
    reason text not null,
    wished_for timestamptz,
    asked_at timestamptz not null,
    charge_minor bigint not null check (charge_minor >= 0),
    charge_currency char(3) not null,
    extra text not null default ''
);
create index order_cancellation_newest on order_cancellation (asked_at desc);

-- What the client sent beside what we understand: JSON text, to be given back as it came.
create table order_extra (
    "order" text primary key references order_order (id),
    document text not null
);

create function order_keeps_its_record() returns trigger language plpgsql as $$
begin
    raise exception '% is a record: rows are added, never changed or removed', tg_table_name
        using errcode = 'restrict_violation';
end $$;
create trigger order_cancellation_is_kept before update or delete on order_cancellation
    for each row execute function order_keeps_its_record();
create trigger order_extra_is_kept before update or delete on order_extra
    for each row execute function order_keeps_its_record();

