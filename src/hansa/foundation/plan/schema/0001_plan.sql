create table plan (
    id text primary key,
    subject text not null,
    kind text not null,
    state text not null check (state in ('running', 'held', 'undoing', 'done', 'undone')),
    turned_back boolean not null default false,
    trace text not null,
    made_at timestamptz not null,
    ended_at timestamptz check ((ended_at is null) = (state in ('running', 'held', 'undoing')))
);
create index plan_subject on plan (subject);
create index plan_held on plan (made_at) where state = 'held';
create index plan_open on plan (id) where ended_at is null;

create table plan_task (
    id text primary key,
    plan text not null references plan (id),
    position integer not null,
    kind text not null,
    undo text,
    label text not null,
    closing boolean not null,
    after text[] not null,
    missing integer not null check (missing >= 0),
    state text not null check (state in (
        'pending', 'ready', 'leased', 'waiting', 'done', 'held', 'failed', 'skipped',
        'undo-pending', 'undo-ready', 'undo-leased', 'undo-waiting', 'undo-held', 'undone')),
    body jsonb not null,
    output jsonb,
    message jsonb,
    heard integer not null default 0,
    attempt integer not null default 0,
    failures integer not null default 0,
    error text not null default '',
    run_at timestamptz,
    wait_until timestamptz,
    lease_owner integer,
    finished_at timestamptz,
    unique (plan, position),
    check ((run_at is not null) = (state in (
        'ready', 'leased', 'waiting', 'undo-ready', 'undo-leased', 'undo-waiting'))),
    check ((lease_owner is not null) = (state in ('leased', 'undo-leased'))),
    check (undo is not null or state not like 'undo%')
);
-- Only what can move has run_at. A leased task is due again when its lease ends, a waiting one
-- when its safety net does.
create index plan_task_due on plan_task (run_at) where run_at is not null;

-- What people did to a plan: who, what and why. Never changed.
create table plan_intervention (
    id bigint generated always as identity primary key,
    plan text not null references plan (id),
    task text references plan_task (id),
    act text not null check (act in ('repair', 'resume', 'cancel', 'by-hand')),
    by_whom text not null,
    why text not null,
    before jsonb,
    at timestamptz not null
);
create index plan_intervention_plan on plan_intervention (plan);

create function plan_intervention_kept() returns trigger language plpgsql as $$
begin
    raise exception 'interventions are never changed' using errcode = 'insufficient_privilege';
end $$;
create trigger plan_intervention_kept before update or delete or truncate on plan_intervention
    for each statement execute function plan_intervention_kept();
