-- Asked of offers as a whole, or at the level of services: whether one can be had, or which can.
alter table qualification_kept add column kind text not null default 'offering'
    check (kind in ('offering', 'check', 'query'));
