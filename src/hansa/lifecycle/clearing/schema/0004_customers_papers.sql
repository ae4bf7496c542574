-- On the paper of a bill stand its seller and its buyer: whoever owes it may have it made, and
-- reads of those two, not of who entered them.
grant select on clearing_particulars to hansa_clerk;

create function clearing_document(of_party text) returns jsonb language plpgsql stable as $$
begin
    return (select document from clearing_particulars
             where party = of_party
               and (not hansa_is_guest() or of_party in (hansa_party(), hansa_us()))
             order by id desc limit 1);
end $$;

call hansa_lend('clearing_document(text)');
