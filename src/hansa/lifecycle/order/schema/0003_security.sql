-- An order is its buyer's, with all that happened to it and the plan that delivers it.

call hansa_isolate('order_order', 'order_move', 'order_cancellation', 'order_extra');
grant select, insert, update (hold) on order_order to hansa_guest;
grant select, insert on order_move, order_cancellation, order_extra to hansa_guest;

create policy of_the_party on order_order to hansa_guest using (buyer = hansa_party());
create policy of_the_party on order_move to hansa_guest
    using (exists (select from order_order o where o.id = order_move."order"));
create policy of_the_party on order_cancellation to hansa_guest
    using (exists (select from order_order o where o.id = order_cancellation."order"));
create policy of_the_party on order_extra to hansa_guest
    using (exists (select from order_order o where o.id = order_extra."order"));
create policy delivers_an_order on plan for select to hansa_guest
    using (exists (select from order_order o where o.id = plan.subject));

create index order_of_buyer on order_order (buyer, placed_at desc);
