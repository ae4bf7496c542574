-- A quote is its buyer's. The suppliers' quotes behind it are written with it, and read by us.

call hansa_isolate('quote_quote', 'quote_supply', 'quote_move', 'quote_extra');
grant select, insert on quote_quote, quote_supply, quote_move, quote_extra to hansa_guest;

create policy of_the_party on quote_quote to hansa_guest using (buyer = hansa_party());
create policy of_the_party on quote_supply for insert to hansa_guest
    with check (exists (select from quote_quote q where q.id = quote_supply.quote));
create policy of_the_party on quote_move to hansa_guest
    using (exists (select from quote_quote q where q.id = quote_move.quote));
create policy of_the_party on quote_extra to hansa_guest
    using (exists (select from quote_quote q where q.id = quote_extra.quote));
