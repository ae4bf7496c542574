-- Two sets of call records laid side by side. SIDE is `ours` or `theirs`. Times are whole
-- seconds, amounts billionths of the major unit, numbers as `records.py` writes them.
--
-- What is matched to what does not depend on the order of rows or the number of threads: ties
-- are ordered by what the records say, and records that say the same are interchangeable.

-- name: numbers
create macro digits_of(n) as left(lpad((n // 16)::varchar, 15, '0'), (n % 16)::int);
create macro led(n) as
    n // 16 // getvariable('beyond') * getvariable('beyond') * 16
        + least(n % 16, getvariable('digits'));

-- name: load
create temp table SIDE as select p, q, sd, m, g, n from given;

-- name: loaded
select count(*) from SIDE;

-- name: slots
create temp table slot_of_SIDE as
with led as (
    select sd // 629145600 as slot, g, sd % 1048576 as d, m, case when g is null then led(q) end as n
    from SIDE),
slots as (
    select slot, g, n, count(*) as calls, sum(d) as seconds, sum(m) as amount, count(m) as rated
    from led group by all)
select slot, coalesce(g, digits_of(n)) as g, calls, seconds, amount, rated from slots;

-- name: cells
create temp table cell as
with both_sides as (
    select slot // 144 as day, slot, g, calls as a, 0 as b, seconds as sa, 0 as sb,
           coalesce(amount, 0) as ma, 0 as mb
      from slot_of_ours
    union all
    select slot // 144, slot, g, 0, calls, 0, seconds, 0, coalesce(amount, 0)
      from slot_of_theirs),
slots as (
    select day, slot, g, sum(a) as a, sum(b) as b, sum(sa) as sa, sum(sb) as sb, sum(ma) as ma,
           sum(mb) as mb
    from both_sides group by all),
days as (
    select day, g, sum(a) as calls_ours, sum(b) as calls_theirs, sum(sa) as seconds_ours,
           sum(sb) as seconds_theirs, sum(ma) as amount_ours, sum(mb) as amount_theirs,
           (sum(abs(a - b)) - abs(sum(a) - sum(b))) // 2 as moved
    from slots group by all)
select *,
       case when abs(calls_ours - calls_theirs) * 10000
                     > getvariable('calls_bp') * greatest(calls_ours, calls_theirs) then 'calls'
            when abs(seconds_ours - seconds_theirs) * 10000
                     > getvariable('seconds_bp') * greatest(seconds_ours, seconds_theirs)
                then 'seconds'
            when getvariable('rated') and abs(amount_ours - amount_theirs) * 10000
                     > getvariable('amount_bp') * greatest(abs(amount_ours), abs(amount_theirs))
                then 'amount'
            when moved > 10 and moved * 100 > greatest(calls_ours, calls_theirs) then 'times'
            else '' end as off
from days;

-- name: bad_days
select day, bool_or(off = 'times') as moved from cell group by day having bool_or(off <> '')
order by day;

-- name: bad_day
create temp table bad_day (day bigint);

-- name: mostly_good
select coalesce(sum(calls_ours) filter (where day in (select day from bad_day)), 0) * 10
       < sum(calls_ours) * 9 from cell;

-- name: narrow
create temp table near_SIDE as
select p, q, sd, m, g, n from SIDE
where (sd // 1048576 + getvariable('margin')) // 86400 in (select day from bad_day)
   or (sd // 1048576 - getvariable('margin')) // 86400 in (select day from bad_day)
   or sd // 1048576 // 86400 in (select day from bad_day);

-- name: narrowed
drop table SIDE;

-- name: renamed
alter table near_SIDE rename to SIDE;

-- name: exact
create temp table same as
select o.rowid as a, t.rowid as b, o.m is distinct from t.m as priced,
       (coalesce(o.sd, t.sd) // 90596966400)::smallint as day
from ours o full outer join theirs t on o.p = t.p and o.q = t.q and o.sd = t.sd;

-- name: twins
create temp table twin (p bigint, q bigint, sd bigint);

-- name: several
select count(*) filter (where a is not null and b is not null)
       > (select count(*) from SIDE) - count(*) filter (where OTHER is null)
from same;

-- name: twins_of
insert into twin
select distinct p, q, sd from SIDE where rowid in
    (select MINE from same where a is not null and b is not null group by MINE having count(*) > 1);

-- name: twins_paired
create temp table twin_same as
with a as (select o.rowid as n, p, q, sd, m,
                  row_number() over (partition by p, q, sd order by m, o.rowid) as k
             from ours o semi join (select distinct * from twin) using (p, q, sd)),
     b as (select t.rowid as n, p, q, sd, m,
                  row_number() over (partition by p, q, sd order by m, t.rowid) as k
             from theirs t semi join (select distinct * from twin) using (p, q, sd))
select a.n as a, b.n as b, a.m is distinct from b.m as priced,
       (sd // 90596966400)::smallint as day
from a full outer join b using (p, q, sd, k);

-- name: twins_out
delete from same where a in (select a from twin_same where a is not null)
                    or b in (select b from twin_same where b is not null);

-- name: twins_in
insert into same select * from twin_same;

-- name: rest
create temp table rest_SIDE as
select e.rowid as n, p, q, sd // 1048576 as s, sd % 1048576 as d, m,
       sd // 90596966400 in (select day from bad_day) as inside
from SIDE e where e.rowid in (select MINE from same where OTHER is null);

-- name: edges
create temp table edge as
select x.n as a, y.n as b, 0::bigint as shift, abs(x.d - y.d) > getvariable('duration_s') as far,
       abs(x.s - y.s) as dt, abs(x.d - y.d) as dd
from (select *, unnest(range((s - getvariable('time_s')) // getvariable('width'),
                             (s + getvariable('time_s')) // getvariable('width') + 1)) as w
        from rest_ours) x
join (select *, s // getvariable('width') as w from rest_theirs) y
  on x.p = y.p and x.q = y.q and x.w = y.w and abs(x.s - y.s) <= getvariable('time_s');

-- name: lone
create temp table lone_SIDE as
select * from rest_SIDE where n not in (select MINE from edge);

-- name: hits
create temp table hit as
with x as (select * from lone_ours qualify count(*) over (partition by p, q) <= 20),
     y as (select * from lone_theirs qualify count(*) over (partition by p, q) <= 20)
select (y.s - x.s + 900 + 180000) // 1800 - 100 as k, x.s
from x join y on x.p = y.p and x.q = y.q and abs(x.d - y.d) <= getvariable('duration_s')
where abs(y.s - x.s) <= 50400 + getvariable('time_s')
  and (y.s - x.s + 900 + 180000) // 1800 <> 100
  and abs((y.s - x.s) - ((y.s - x.s + 900 + 180000) // 1800 - 100) * 1800)
      <= getvariable('time_s');

-- name: stretches
create temp table stretch as
with gaps as (select k, s, s - lag(s) over (partition by k order by s) > 86400 as gap from hit),
     runs as (select k, s, sum(coalesce(gap, false)::int) over (partition by k order by s
                                               rows unbounded preceding) as run from gaps),
     spans as (select k, min(s) as first_s, max(s) as last_s, count(*) as hits
                 from runs group by k, run)
select k, first_s, last_s, hits from spans
where hits >= getvariable('shift_least')
  and hits * 10 >= (select count(*) from lone_ours where s between first_s and last_s);

-- name: shifted_edges
insert into edge
select x.n, y.n, x.k * 1800, abs(x.d - y.d) > getvariable('duration_s'),
       abs(x.s + x.k * 1800 - y.s), abs(x.d - y.d)
from (select l.*, k, unnest(range((s + k * 1800 - getvariable('time_s')) // getvariable('width'),
                                  (s + k * 1800 + getvariable('time_s')) // getvariable('width')
                                  + 1)) as w
        from lone_ours l join stretch on s between first_s and last_s) x
join (select *, s // getvariable('width') as w from lone_theirs) y
  on x.p = y.p and x.q = y.q and x.w = y.w
 and abs(x.s + x.k * 1800 - y.s) <= getvariable('time_s');

-- name: alone
create temp table pair as
select a, b, shift from edge
where a not in (select a from edge group by a having count(*) > 1)
  and b not in (select b from edge group by b having count(*) > 1);

-- name: contested
create temp table contest as
with open as materialized (select * from edge where a not in (select a from pair))
select e.a, e.b, e.shift,
       row_number() over (order by far, abs(shift), dt, dd, x.p, x.q, x.s, x.d, x.m, y.s, y.d, y.m,
                                   e.a, e.b) as rank
from open e join rest_ours x on x.n = e.a join rest_theirs y on y.n = e.b;

-- name: nearest
create or replace temp table won as
select a, b, shift from contest
where rank in (select min(rank) from contest group by a)
  and rank in (select min(rank) from contest group by b);

-- name: paired
insert into pair select a, b, shift from won;

-- name: taken
delete from contest where a in (select a from won) or b in (select b from won);

-- name: left
create temp table left_SIDE as
select r.* from rest_SIDE r where n not in (select MINE from pair) and inside;

-- name: doubles
create temp table double_SIDE as
select distinct u.n
from (select *, unnest(range((s - getvariable('time_s')) // getvariable('width'),
                             (s + getvariable('time_s')) // getvariable('width') + 1)) as w
        from left_SIDE) u
join (select rowid as n, p, q, sd // 1048576 as s, sd % 1048576 as d, m,
             sd // 1048576 // getvariable('width') as w from SIDE) t
  on t.p = u.p and t.q = u.q and t.w = u.w
left join left_SIDE v on v.n = t.n
where t.n <> u.n and abs(t.s - u.s) <= getvariable('time_s')
  and abs(t.d - u.d) <= getvariable('duration_s')
  and (v.n is null
       or (t.s, t.d, coalesce(t.m, 0), t.n) < (u.s, u.d, coalesce(u.m, 0), u.n));

-- name: found
create temp table found as
with pairs as (
    select x.p, x.q, x.s as sa, x.d as da, x.m as ma, y.s as sb, y.d as db, y.m as mb, shift,
           x.inside or y.inside as inside
      from pair join rest_ours x on x.n = a join rest_theirs y on y.n = b
    union all
    select x.p, x.q, x.sd // 1048576, x.sd % 1048576, x.m, y.sd // 1048576, y.sd % 1048576, y.m, 0,
           e.day in (select day from bad_day)
      from same e join ours x on x.rowid = e.a join theirs y on y.rowid = e.b
     where e.priced and e.a is not null and e.b is not null)
select case when abs(da - db) > getvariable('duration_s') then 'duration'
            when abs(ma - mb) > getvariable('amount_nano')
                 and abs(ma - mb)::hugeint * greatest(least(da, db), 1)
                     > greatest(abs(ma), abs(mb))::hugeint * abs(da - db) then 'price'
            when shift <> 0 then 'shift'
            when sa = sb and da = db then 'exact'
            else 'within' end as class, p, q, sa, da, ma, sb, db, mb, shift
from pairs where inside
union all
select case when n in (from double_ours) then 'duplicate-here' else 'missing-there' end,
       p, q, s, d, m, null, null, null, 0 from left_ours
union all
select case when n in (from double_theirs) then 'duplicate-there' else 'missing-here' end,
       p, q, null, null, null, s, d, m, 0 from left_theirs;

-- name: plain
select count(*) from same where a is not null and b is not null and not priced
   and day in (select day from bad_day);

-- name: classes
select class, count(*), coalesce(sum(coalesce(db, 0) - coalesce(da, 0)), 0),
       coalesce(sum(coalesce(mb, 0) - coalesce(ma, 0)) filter
                (where (ma is not null or sa is null) and (mb is not null or sb is null)), 0),
       count(*) filter (where (ma is null and sa is not null) or (mb is null and sb is not null))
from found group by class order by class;

-- name: shifts
select shift, first_s, last_s, count(*)
from found join stretch on shift = k * 1800 and sa between first_s and last_s
where class = 'shift' group by all order by all;

-- name: wanted
create temp table wanted_SIDE as
select distinct p, q, TIME as s, LASTS as d from found
where class not in ('exact', 'within', 'shift') and TIME is not null;

-- name: picked
select n from SIDE e semi join wanted_SIDE w
    on e.p = w.p and e.q = w.q and e.sd = w.s * 1048576 + w.d
order by n;

-- name: refs
create temp table ref_SIDE as
select p, q, sd // 1048576 as s, sd % 1048576 as d, m, ref,
       row_number() over (partition by p, q, sd, m order by ref) as k
from SIDE join named using (n);

-- name: differences
create temp table difference as
with numbered as (
    select *, row_number() over (partition by p, q, sa, da, ma order by class, sb, db, mb) as ka,
              row_number() over (partition by p, q, sb, db, mb order by class, sa, da, ma) as kb
    from found where class not in ('exact', 'within', 'shift'))
select class, make_date((coalesce(sa, sb) // 86400)::int) as day,
       digits_of(f.p) as calling, digits_of(f.q) as called,
       a.ref as ours_ref, sa * 1000000 as ours_answered_us, da as ours_duration_s,
       ma as ours_amount_nano,
       b.ref as theirs_ref, sb * 1000000 as theirs_answered_us, db as theirs_duration_s,
       mb as theirs_amount_nano, shift as shift_s,
       case when (ma is not null or sa is null) and (mb is not null or sb is null)
            then coalesce(mb, 0) - coalesce(ma, 0) end as difference_nano
from numbered f
left join ref_ours a on a.p = f.p and a.q = f.q and a.s = sa and a.d = da
     and a.m is not distinct from ma and a.k = ka
left join ref_theirs b on b.p = f.p and b.q = f.q and b.s = sb and b.d = db
     and b.m is not distinct from mb and b.k = kb;

-- name: write_differences
copy (select * from difference order by all) to ? (format parquet, compression zstd);

-- name: write_days
copy (select make_date(day::int) as day, g as destination, calls_ours, calls_theirs,
             seconds_ours::bigint as seconds_ours, seconds_theirs::bigint as seconds_theirs,
             amount_ours::hugeint::decimal(38, 0) as amount_ours_nano,
             amount_theirs::hugeint::decimal(38, 0) as amount_theirs_nano, off
      from cell order by 1, 2)
to ? (format parquet, compression zstd);

-- name: days
select make_date(day::int)::varchar, sum(calls_ours), sum(calls_theirs), sum(seconds_ours),
       sum(seconds_theirs), sum(amount_ours), sum(amount_theirs),
       coalesce(string_agg(distinct off, ', ' order by off) filter (where off <> ''), '')
from cell group by day order by day;

-- name: sample
select class, day::varchar, calling, called, ours_ref, ours_answered_us, ours_duration_s,
       ours_amount_nano, theirs_ref, theirs_answered_us, theirs_duration_s, theirs_amount_nano,
       difference_nano
from difference
order by abs(coalesce(difference_nano, 0)) desc, class, day, calling, called, ours_ref,
         theirs_ref, ours_answered_us, theirs_answered_us
limit 50;

-- name: kept
select count(*) from difference;
