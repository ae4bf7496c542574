-- Who wants to be told of what. A subscription is its owner's, and tells only of what the owner
-- may see; that of the node's own staff (role operator) tells of everything.

create table hub_subscription (
    id text primary key,
    api text not null,
    topics text[] not null,
    owner text not null check (owner ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
    role text not null check (role in ('partner', 'customer', 'operator')),
    callback text not null,
    query text not null,
    made_at timestamptz not null,
    silent_since timestamptz,
    unique (api, owner, role, callback, query)
);
create index hub_subscription_topics on hub_subscription using gin (topics)
    where silent_since is null;

-- Which subscriptions are to be told of something of this party's, the party's own and those of
-- the node's staff. A guest asks it for itself alone.
create function hub_wanting(of_topic text, of_party text) returns setof text
language sql stable rows 3 as $$
    select id from hub_subscription
     where topics @> array[of_topic] and silent_since is null
       and (owner = of_party and role <> 'operator' or role = 'operator')
       and (not hansa_is_guest() or of_party = hansa_party())
     order by made_at, id
$$;
grant select on hub_subscription to hansa_clerk;
call hansa_lend('hub_wanting(text, text)');

call hansa_isolate('hub_subscription');
grant select, insert, delete on hub_subscription to hansa_guest;
grant update (silent_since) on hub_subscription to hansa_guest;
create policy own on hub_subscription to hansa_guest
    using (owner = hansa_party() and role <> 'operator')
    with check (owner = hansa_party() and role <> 'operator');
