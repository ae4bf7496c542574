"""The tables and files of usage.

months: of a holding. manifest: of deliveries. reading, spool: of sources. events, duplicates,
quarantine: of the network's own records. arrow: columns.
"""
