-- A message for a task that is not over: kept for it, and it is due at once if it waits. Its plan
-- is locked. A guest wakes the tasks whose body names it, as the `seller` that is asked or as the
-- `buyer` for whom it is done. False when there is no such task.
create function plan_wake(woken text, words jsonb, at timestamptz) returns boolean
language plpgsql as $$
declare
    its_plan text;
begin
    select t.plan into its_plan from plan_task t
     where t.id = woken and (not hansa_is_guest()
                             or hansa_party() in (t.body ->> 'seller', t.body ->> 'buyer'));
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
     where id = woken and state not in ('done', 'failed', 'skipped', 'undone');
    return true;
end $$;
call hansa_lend('plan_wake(text, jsonb, timestamptz)');
