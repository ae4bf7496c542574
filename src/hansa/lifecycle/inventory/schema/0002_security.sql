-- A holding is seen by who holds it and by who sells it. What it stands on is nobody's business
-- but ours: a guest's request learns of it by functions that begin with a holding of its own.

grant select on inventory_holding, inventory_spell to hansa_guest;
grant select on inventory_holding, inventory_spell, inventory_support to hansa_clerk;

-- What a holding stands on, one level down; for a guest, if it holds the upper one.
create function inventory_below(of_seller text, of_id text)
returns table (lower inventory_holding, metered boolean) language sql stable rows 3 as $$
    select h, s.metered
      from inventory_holding u
      join inventory_support s on s.upper_seller = u.seller and s.upper_id = u.id
      join inventory_holding h on h.seller = s.lower_seller and h.id = s.lower_id
     where u.seller = of_seller and u.id = of_id
       and (not hansa_is_guest() or u.buyer = hansa_party())
$$;

create function inventory_spells_below(of_seller text, of_id text)
returns setof inventory_spell language sql stable rows 5 as $$
    select p.*
      from inventory_holding u
      join inventory_support s on s.upper_seller = u.seller and s.upper_id = u.id
      join inventory_spell p on p.seller = s.lower_seller and p.holding = s.lower_id
     where u.seller = of_seller and u.id = of_id
       and (not hansa_is_guest() or u.buyer = hansa_party())
$$;

-- Whether the current party holds this, or something that stands on it.
create function inventory_serves_party(of_seller text, of_id text) returns boolean
language sql stable as $$
    select exists (select from inventory_holding h
                    where h.seller = of_seller and h.id = of_id and h.buyer = hansa_party())
        or exists (select from inventory_support s
                     join inventory_holding u on u.seller = s.upper_seller and u.id = s.upper_id
                    where s.lower_seller = of_seller and s.lower_id = of_id
                      and u.buyer = hansa_party())
$$;

call hansa_lend('inventory_below(text, text)', 'inventory_spells_below(text, text)',
                'inventory_serves_party(text, text)');

call hansa_isolate('inventory_holding', 'inventory_spell', 'inventory_change',
                   'inventory_support');

create policy of_the_party on inventory_holding for select to hansa_guest
    using (buyer = hansa_party() or seller = hansa_party());
create policy of_the_party on inventory_spell for select to hansa_guest
    using (exists (select from inventory_holding h
                    where h.seller = inventory_spell.seller and h.id = inventory_spell.holding));
