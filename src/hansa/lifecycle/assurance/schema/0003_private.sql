-- What a client sent beside what we understand, to be given back to it.
alter table assurance_ticket add column extras text not null default '';

-- A key is that of one side: a note of our own people's is not in the way of a buyer's.
alter table assurance_entry drop constraint assurance_entry_ticket_key_key;
alter table assurance_entry add unique (ticket, side, key);

-- The database itself holds private notes back from a buyer's request.
drop policy of_the_party on assurance_entry;
create policy of_the_party on assurance_entry to hansa_guest
    using (not private
           and exists (select from assurance_ticket t where t.id = assurance_entry.ticket))
    with check (side = 'buyer' and not private
                and exists (select from assurance_ticket t where t.id = assurance_entry.ticket));
