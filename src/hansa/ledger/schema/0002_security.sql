-- A guest has no sight of the books. It moves the credit held for its own orders, and what is
-- held or posted in its name goes through two functions, checked at the rows that they write.

call hansa_isolate('ledger_account', 'ledger_batch', 'ledger_entry', 'ledger_leg',
                   'ledger_credit', 'ledger_hold');
alter view ledger_balance set (security_invoker = true);
alter view ledger_journal set (security_invoker = true);

grant select, update (state, moved_at) on ledger_hold to hansa_guest;
create policy of_the_party on ledger_hold to hansa_guest using (party = hansa_party());

grant select, insert on ledger_account, ledger_batch, ledger_entry, ledger_leg to hansa_clerk;
grant select, insert, update on ledger_credit, ledger_hold to hansa_clerk;
grant select on ledger_balance to hansa_clerk;

-- In a guest's name credit is held for itself alone.
create function ledger_hold_for_itself() returns trigger language plpgsql as $$
begin
    if hansa_is_guest() and new.party is distinct from hansa_party() then
        raise insufficient_privilege using message = 'credit of another party';
    end if;
    return new;
end $$;
create trigger ledger_hold_for_itself before insert on ledger_hold
    for each row execute function ledger_hold_for_itself();

-- In a guest's name every entry is between it and us: one of its accounts, none of another's.
create function ledger_leg_for_itself() returns trigger language plpgsql as $$
begin
    if hansa_is_guest() and exists (
        select from fresh f join ledger_account a on a.id = f.account
         group by f.entry
        having not bool_or(a.party is not distinct from hansa_party())
            or bool_or(a.party is distinct from hansa_party() and a.party is not null))
    then
        raise insufficient_privilege using message = 'an entry about another party';
    end if;
    return null;
end $$;
create trigger ledger_leg_for_itself after insert on ledger_leg
    referencing new table as fresh for each statement execute function ledger_leg_for_itself();

call hansa_lend(
    'ledger_place_hold(text, text, text, text, bigint, bigint, text, timestamptz, timestamptz)',
    'ledger_post(timestamptz, text[], text[], text[], text[], text[], text[], text[], text[],
                 text[], text[], text[], timestamptz[], text[], integer[], integer[], integer[],
                 bigint[])');
