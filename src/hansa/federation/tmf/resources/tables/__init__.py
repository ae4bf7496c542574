"""Which attributes TM Forum resources have: names and kinds, one table for each API."""
