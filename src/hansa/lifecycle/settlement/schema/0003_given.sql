-- An id bears the name of who gave it, and a bill is called so by its issuer, the creditor: nobody
-- learns what others have called theirs.
create policy given_by_the_party on settlement_statement as restrictive for insert to hansa_guest
    with check (right(id, length(hansa_party()) + 1) = '.' || hansa_party());

drop index settlement_statement_bill;
create unique index settlement_statement_bill on settlement_statement (creditor, bill)
    where state <> 'withdrawn';
