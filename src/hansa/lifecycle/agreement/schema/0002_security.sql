-- Those who are a party to an agreement see it and may be heard about it; nobody else.

alter table agreement_item add column price_list text;
alter table agreement_item disable trigger agreement_item_is_kept;
update agreement_item i
   set price_list = v.document -> 'items' -> i.position ->> 'price_list'
  from agreement_version v where (v.agreement, v.version) = (i.agreement, i.version);
alter table agreement_item enable trigger agreement_item_is_kept;
alter table agreement_item alter column price_list set not null;
create index agreement_item_buyer on agreement_item (buyer);
create index agreement_party_party on agreement_party (party);

alter view agreement_as_known set (security_invoker = true);

grant select on agreement_as_known, agreement_life, agreement_version, agreement_party,
    agreement_item, agreement_signature, agreement_country, agreement_gate, agreement_move,
    agreement_customer to hansa_guest;
grant insert on agreement_life, agreement_version, agreement_party, agreement_item,
    agreement_signature, agreement_country, agreement_gate, agreement_move to hansa_guest;
grant update (lead) on agreement_life to hansa_guest;  -- for its lock; the row itself is kept
grant update (state, in_force) on agreement_version to hansa_guest;
grant update (state, live_since) on agreement_country to hansa_guest;
grant select on agreement_as_known, agreement_version, agreement_party, agreement_item,
    agreement_signature, agreement_country, agreement_gate, agreement_customer to hansa_clerk;

-- The agreements to which the current party is one. All of a table's policies ask it once a
-- statement, not once a row.
create function agreement_of_party() returns setof text language sql stable rows 10 as $$
    select distinct agreement from agreement_party where party = hansa_party()
$$;

-- All with whom the current party shares an agreement that we have signed, and itself: whoever
-- drafts one may name in it whom it likes.
create function agreement_fellows_of_party() returns setof text language sql stable rows 10 as $$
    select hansa_party()
    union
    select f.party from agreement_party o
      join agreement_signature s on (s.agreement, s.version) = (o.agreement, o.version)
      join agreement_party f on (f.agreement, f.version) = (o.agreement, o.version)
     where o.party = hansa_party() and s.party = hansa_us()
$$;

-- The price lists that we have ever agreed to with the current party.
create function agreement_lists_of_party() returns setof text language sql stable rows 3 as $$
    select i.price_list from agreement_item i
      join agreement_signature s on (s.agreement, s.version) = (i.agreement, i.version)
     where i.buyer = hansa_party() and s.party = hansa_us()
    union
    select price_list from agreement_customer where party = hansa_party()
$$;

-- Agreements in which the seller ever sold to the buyer. A guest's request sees those in which
-- it trades itself, and, to have its own order supplied, those in which we buy.
create function agreement_between(of_seller text, to_buyer text) returns setof agreement_as_known
language sql stable rows 3 as $$
    select * from agreement_as_known
     where agreement in (select agreement from agreement_item
                          where seller = of_seller and buyer = to_buyer)
       and (not hansa_is_guest() or hansa_party() in (of_seller, to_buyer)
            or to_buyer = hansa_us())
$$;

call hansa_lend('agreement_of_party()', 'agreement_fellows_of_party()',
                'agreement_lists_of_party()', 'agreement_between(text, text)');

call hansa_isolate('agreement_life', 'agreement_version', 'agreement_party', 'agreement_item',
                   'agreement_signature', 'agreement_country', 'agreement_gate',
                   'agreement_move', 'agreement_customer');

-- An agreement is seen by its parties, and by its lead from the moment that it is drafted.
create policy of_the_party on agreement_life to hansa_guest
    using (lead = hansa_party() or id = any (array(select agreement_of_party())))
    with check (lead = hansa_party());

-- An id bears the name of who gave it, so that whoever drafts an agreement learns nothing of those
-- of others from whether it may be called so.
create policy given_by_the_lead on agreement_life as restrictive for insert to hansa_guest
    with check (right(id, length(lead) + 1) = '.' || lead);

-- A version, its parties and its items are drafted by the lead.
create policy of_the_party on agreement_version for select to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy moves on agreement_version for update to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy drafts on agreement_version for insert to hansa_guest
    with check (exists (select from agreement_life l
                         where l.id = agreement and l.lead = hansa_party()));

create policy of_the_party on agreement_party for select to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy drafts on agreement_party for insert to hansa_guest
    with check (exists (select from agreement_life l
                         where l.id = agreement and l.lead = hansa_party()));

create policy of_the_party on agreement_item for select to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy drafts on agreement_item for insert to hansa_guest
    with check (exists (select from agreement_life l
                         where l.id = agreement and l.lead = hansa_party()));

create policy of_the_party on agreement_country for select to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy moves on agreement_country for update to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy drafts on agreement_country for insert to hansa_guest
    with check (exists (select from agreement_life l
                         where l.id = agreement and l.lead = hansa_party()));

create policy of_the_party on agreement_gate for select to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy launches on agreement_gate for insert to hansa_guest
    with check (exists (select from agreement_life l
                         where l.id = agreement and l.lead = hansa_party()));

-- What a party signs or moves is its own.
create policy of_the_party on agreement_signature for select to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy signs on agreement_signature for insert to hansa_guest
    with check (party = hansa_party());

create policy of_the_party on agreement_move for select to hansa_guest
    using (agreement = any (array(select agreement_of_party())));
create policy moves on agreement_move for insert to hansa_guest
    with check (moved_by = hansa_party());

create policy of_the_party on agreement_customer for select to hansa_guest
    using (party = hansa_party());

-- A partner is known to itself, and by its key to those with whom it has an agreement: they
-- show each other what it signed.
call hansa_isolate('federation_partner');
grant select on federation_partner to hansa_guest;
create policy of_the_party on federation_partner for select to hansa_guest
    using (party = hansa_party() or party = any (array(select agreement_fellows_of_party())));
