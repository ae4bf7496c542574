-- Which months are open is the same for everyone. A usage file is seen by who holds what was
-- used, or something that stands on it.

call hansa_isolate('usage_period', 'usage_file');
grant select on usage_period, usage_file to hansa_guest;

create policy for_everyone on usage_period for select to hansa_guest using (true);
create policy of_the_party on usage_file for select to hansa_guest
    using (inventory_serves_party(seller, holding));
