-- Who asked for an order, down the chain, by signatures; as the buyer has sent it.
alter table order_order add column mandate jsonb;
