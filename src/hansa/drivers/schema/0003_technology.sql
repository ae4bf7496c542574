-- By which of several ways a product is delivered; empty where its family has one.

alter table driver_product add column technology text not null default '';
