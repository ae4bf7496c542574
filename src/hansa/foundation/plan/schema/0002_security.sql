-- A guest reads the plans of which a later room says that they are about a thing of its own.
-- It makes no plan but the one that tells it something.

call hansa_isolate('plan', 'plan_task', 'plan_intervention');
grant select, insert on plan, plan_task to hansa_guest;
grant select, update on plan, plan_task to hansa_clerk;

create policy of_a_visible_plan on plan_task for select to hansa_guest
    using (exists (select from plan p where p.id = plan_task.plan));

create policy tells on plan for insert to hansa_guest
    with check (kind = 'federation.notice');
create policy tells on plan_task for insert to hansa_guest
    with check (kind = 'federation.notice' and body ->> 'to' = hansa_party());

-- The word of a seller about what a task asked of it: kept for the task, which is due at once
-- if it waits. A task that asks a seller names it in its body. False when there is no such task
-- that asks this seller.
create function plan_told(told text, teller text, words jsonb, at timestamptz) returns boolean
language plpgsql as $$
declare
    its_plan text;
begin
    if hansa_is_guest() and teller is distinct from hansa_party() then
        return false;
    end if;
    select t.plan into its_plan from plan_task t where t.id = told and t.body ->> 'seller' = teller;
    if not found then
        return false;
    end if;
    perform from plan where id = its_plan for update;
    update plan_task
       set message = words, heard = heard + 1,
           state = case state when 'waiting' then 'ready'
                              when 'undo-waiting' then 'undo-ready' else state end,
           run_at = case when state in ('ready', 'waiting', 'undo-ready', 'undo-waiting')
                         then least(run_at, at) else run_at end
     where id = told and state not in ('done', 'failed', 'skipped', 'undone');
    return true;
end $$;
call hansa_lend('plan_told(text, text, jsonb, timestamptz)');
