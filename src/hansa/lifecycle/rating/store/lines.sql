-- What the rated events of `rated` add up to: one row for each leg, price and time of day.
select leg_id, price_id, band,
       count(*) as calls,
       cast(sum(case when billed_s > 0 then 1 else 0 end) as bigint) as charged_calls,
       cast(sum(billed_s) as bigint) as billed_s,
       cast(sum(charge) as bigint) as charge,
       cast(sum(amount) as bigint) as amount,
       cast(sum(share) as bigint) as share
from rated
group by leg_id, price_id, band
