-- A bill is seen by who owes it, and becomes final in the transaction in which that party
-- confirms it. A partner's invoice to us is entered in the one in which it tells of it.

grant select, update (state, year, serial, number, issued_at) on billing_bill to hansa_guest;
grant select, insert on billing_supplier_invoice, billing_request to hansa_guest;
grant select, insert, update on billing_counter to hansa_clerk;
grant select on billing_bill to hansa_clerk;

create policy of_the_party on billing_bill to hansa_guest using (buyer = hansa_party());
create policy of_the_party on billing_request to hansa_guest using (buyer = hansa_party());
create policy of_the_party on billing_supplier_invoice to hansa_guest
    using (issuer = hansa_party());

-- The next number of this issuer's year; given back if the transaction does not commit.
create function billing_next_serial(of_issuer text, in_year integer) returns integer
language sql as $$
    insert into billing_counter (issuer, year, last) values (of_issuer, in_year, 1)
        on conflict (issuer, year) do update set last = billing_counter.last + 1
        returning last
$$;

-- The guard looks at the bill before, which may be another party's.
call hansa_lend('billing_next_serial(text, integer)', 'billing_bill_guard()');

call hansa_isolate('billing_counter', 'billing_bill', 'billing_month', 'billing_period',
                   'billing_supplier_invoice', 'billing_request');
