-- Bank accounts, as one person entered them and another confirmed them. Never changed: another
-- account is another row, and payments name the row.
create table clearing_account (
    id text primary key,
    party text not null,
    holder text not null,
    number text not null,
    bic text not null,
    entered_by text not null check (entered_by <> ''),
    entered_at timestamptz not null
);
create table clearing_account_check (
    account text primary key references clearing_account (id),
    confirmed_by text not null check (confirmed_by <> ''),
    confirmed_at timestamptz not null
);

create function clearing_account_check_guard() returns trigger language plpgsql as $$
begin
    if exists (select from clearing_account
               where id = new.account and lower(entered_by) = lower(new.confirmed_by)) then
        raise exception 'an account is confirmed by another person' using errcode = '42501';
    end if;
    return new;
end $$;
create trigger clearing_account_check_guard before insert on clearing_account_check
    for each row execute function clearing_account_check_guard();

-- What was handed to our bank, as it was; and each payment of it, which is ordered once.
create table clearing_order (
    id text primary key,
    document jsonb not null,
    at timestamptz not null
);
create table clearing_payment (
    source text primary key,
    settlement text not null unique,
    payment_order text not null references clearing_order (id),
    account text not null references clearing_account_check (account)
);

create trigger clearing_account_kept before update or delete or truncate
    on clearing_account for each statement execute function clearing_append_only();
create trigger clearing_account_check_kept before update or delete or truncate
    on clearing_account_check for each statement execute function clearing_append_only();
create trigger clearing_order_kept before update or delete or truncate
    on clearing_order for each statement execute function clearing_append_only();
create trigger clearing_payment_kept before update or delete or truncate
    on clearing_payment for each statement execute function clearing_append_only();

call hansa_isolate('clearing_account', 'clearing_account_check', 'clearing_order',
                   'clearing_payment');
