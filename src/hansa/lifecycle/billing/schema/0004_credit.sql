-- Credit notes: bills with lines below zero, as many to a month as there are, numbered apart.

alter table billing_bill drop constraint billing_bill_kind_of_check;
alter table billing_bill add constraint billing_bill_kind_of_check
    check (kind_of in ('services', 'revenue-share', 'credit-note'));
alter table billing_supplier_invoice drop constraint billing_supplier_invoice_kind_of_check;
alter table billing_supplier_invoice add constraint billing_supplier_invoice_kind_of_check
    check (kind_of in ('services', 'revenue-share', 'credit-note'));

do $$
declare
    name text;
begin
    for name in select conname from pg_constraint
                 where conrelid = 'billing_bill'::regclass and contype = 'u'
                   and cardinality(conkey) in (3, 7) loop
        execute format('alter table billing_bill drop constraint %I', name);
    end loop;
end $$;
create unique index billing_bill_once on billing_bill
    (issuer, buyer, kind_of, agreement, agreement_version, currency, period_start)
    nulls not distinct where kind_of <> 'credit-note';
create unique index billing_bill_serial on billing_bill
    (issuer, (kind_of = 'credit-note'), year, serial);

-- The guard as it was, but for the numbers; what is lent is not changed, so it has a new name.
create function billing_bill_watch() returns trigger language plpgsql as $$
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
          and (kind_of = 'credit-note') = (new.kind_of = 'credit-note')
    ) then
        raise exception 'invoice number % leaves a gap', new.number using errcode = '23514';
    end if;
    return new;
end $$;

drop trigger billing_bill_guard on billing_bill;
create trigger billing_bill_guard before update or delete on billing_bill
    for each row execute function billing_bill_watch();
call hansa_lend('billing_bill_watch()');
