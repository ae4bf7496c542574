-- A guest's request also has those told who have subscribed to what it changes.

create policy tells_of on plan for insert to hansa_guest
    with check (kind = 'federation.event');
create policy tells_of on plan_task for insert to hansa_guest
    with check (kind = 'federation.event' and body ->> 'party' = hansa_party());
