-- A ticket is its buyer's. The supplier to whom it was passed on sees that it was, and which
-- task of ours listens to it; our own people's notes are held back by the room itself.

call hansa_isolate('assurance_ticket', 'assurance_entry', 'assurance_relay');
grant select, insert, update (entries, state, moved_at) on assurance_ticket to hansa_guest;
grant select, insert on assurance_entry, assurance_relay to hansa_guest;

create policy of_the_party on assurance_ticket to hansa_guest using (buyer = hansa_party());
create policy of_the_party on assurance_entry to hansa_guest
    using (exists (select from assurance_ticket t where t.id = assurance_entry.ticket))
    with check (side = 'buyer' and not private
                and exists (select from assurance_ticket t where t.id = assurance_entry.ticket));
create policy of_the_party on assurance_relay to hansa_guest
    using (exists (select from assurance_ticket t where t.id = assurance_relay.ticket));
create policy with_the_party on assurance_relay for select to hansa_guest
    using (supplier = hansa_party());

-- A ticket that is opened is passed on by a plan.
create policy passes_a_ticket_on on plan for insert to hansa_guest
    with check (kind = 'ticket'
                and exists (select from assurance_ticket t where t.id = plan.subject));
create policy passes_a_ticket_on on plan_task for insert to hansa_guest
    with check (kind = 'assurance.relay'
                and exists (select from assurance_relay r where r.task = plan_task.id));
