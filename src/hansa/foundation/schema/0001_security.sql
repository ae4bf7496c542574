-- Who may do what. Four roles, made before this file is applied (hansa.foundation.migrations):
--
--   the owner     makes the tables, and sees none of their rows
--   hansa_node    as which the node itself works: every row, no table changed
--   hansa_guest   as which a request of a partner or customer works: see below
--   hansa_clerk   owns the functions that do for a guest what it may not do itself
--
-- A request of a partner or customer runs as hansa_guest from its first statement to its last,
-- with hansa.party naming whose it is and hansa.us the operator whose node this is. It has the
-- rights on few tables, and there sees and writes what the policies of each room allow.

grant usage on schema public to hansa_node, hansa_guest, hansa_clerk;
grant create on schema public to hansa_clerk;

-- No tables of a session's own, which would be found before ours.
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;

-- The node has its rights on every table that there is, and on every one that will be made.
grant select, insert, update, delete on all tables in schema public to hansa_node;
alter default privileges in schema public
    grant select, insert, update, delete on tables to hansa_node;
revoke insert, update, delete on migration from hansa_node;

-- The party whose request this is; null when it is nobody's but the node's own.
create function hansa_party() returns text language sql stable parallel safe
return nullif(current_setting('hansa.party', true), '');

-- The operator whose node this is, as the request was told.
create function hansa_us() returns text language sql stable parallel safe
return nullif(current_setting('hansa.us', true), '');

-- Whether this is a partner's or customer's request, also inside the functions of the clerk.
create function hansa_is_guest() returns boolean language sql stable parallel safe
return current_setting('role') = 'hansa_guest';

-- Sets row-level security on tables, for their owner too: the node and the clerk have every
-- row, everyone else has none until a policy says otherwise. A table without this is refused
-- by a test of the house. Call it after the functions that use the tables are made: migrations
-- run as their owner, and fail where its lack of rows would go unnoticed.
create procedure hansa_isolate(variadic tables regclass[]) language plpgsql as $$
declare
    one regclass;
begin
    foreach one in array tables loop
        execute format('alter table %s enable row level security', one);
        execute format('alter table %s force row level security', one);
        execute format('create policy ours on %s to hansa_node, hansa_clerk '
                       'using (true) with check (true)', one);
    end loop;
end $$;

-- Gives functions to the clerk, for guests to call: what they do they do with its rights, and
-- whom they do it for they have to ask themselves.
create procedure hansa_lend(variadic functions regprocedure[]) language plpgsql as $$
declare
    one regprocedure;
begin
    foreach one in array functions loop
        execute format('alter function %s security definer set search_path = public, pg_temp', one);
        execute format('revoke all on function %s from public', one);
        execute format('grant execute on function %s to hansa_node, hansa_guest', one);
        execute format('alter function %s owner to hansa_clerk', one);
    end loop;
end $$;
