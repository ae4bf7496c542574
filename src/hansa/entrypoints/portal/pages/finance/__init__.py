"""Finance: invoices, statements, disputes, netting and the books, down to event and posting.

Takes in what billing, settlement, clearing and the ledger know; hands on pages for who keeps books.
"""
