-- What of each statement a netting moved: the whole, but for what was in dispute; later what a
-- dispute has left; below nil what was moved before a dispute was heard of. agreed: netted among
-- many, as all have signed, in dispute or not.
create table settlement_netting_line (
    netting   text not null references settlement_netting,
    statement text not null references settlement_statement (id),
    minor     bigint not null,
    agreed    boolean not null,
    primary key (netting, statement)
);
create index settlement_netting_line_statement on settlement_netting_line (statement);
create trigger settlement_netting_line_kept before update or delete or truncate
    on settlement_netting_line for each statement execute function settlement_append_only();

-- What was netted so far was netted whole. The owner of these tables is not let in by a policy.
alter table settlement_netting no force row level security;
alter table settlement_statement no force row level security;
insert into settlement_netting_line (netting, statement, minor, agreed)
select n.key, s.id, (s.document->'net'->>'minor')::bigint + (s.document->'tax'->>'minor')::bigint,
       false
  from settlement_netting n, unnest(n.statements) as one
  join settlement_statement s on s.id = one;
alter table settlement_netting force row level security;
alter table settlement_statement force row level security;

call hansa_isolate('settlement_netting_line');
