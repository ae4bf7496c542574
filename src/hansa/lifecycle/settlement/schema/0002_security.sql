-- A statement is seen by the two whom it is between, and moved by what they tell us. Why our
-- people accepted a difference is ours.

call hansa_isolate('settlement_statement', 'settlement_resolution', 'settlement_shared',
                   'settlement_netting');
grant select, insert,
      update (state, bill, number, compared_at, waiting, differences, confirmation)
    on settlement_statement to hansa_guest;
grant select on settlement_resolution to hansa_guest;

create policy of_the_party on settlement_statement to hansa_guest
    using (creditor = hansa_party() or debtor = hansa_party());
