"""The tables of bills, numbers, invoices of partners and wishes, and the SQL about them."""
