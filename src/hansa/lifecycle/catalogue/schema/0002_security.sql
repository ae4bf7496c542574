-- What is on offer, exchange rates and tax rules are the same for everyone. A price list is for
-- those with whom it was agreed.

call hansa_isolate('catalogue_offer', 'catalogue_price', 'catalogue_reference_rate',
                   'catalogue_tax_rule');
grant select on catalogue_offer, catalogue_price, catalogue_reference_rate, catalogue_tax_rule
    to hansa_guest;

create policy for_everyone on catalogue_offer for select to hansa_guest using (true);
create policy for_everyone on catalogue_reference_rate for select to hansa_guest using (true);
create policy for_everyone on catalogue_tax_rule for select to hansa_guest using (true);
create policy of_the_party on catalogue_price for select to hansa_guest
    using (price_list = any (array(select agreement_lists_of_party())));
